<?php

declare(strict_types=1);

/** Keys in chosen slots, by the hash tags of the file LAB_SLOT_KEYS: its i-th line has the i-th slot. */
final class Keys
{
    public const SLOTS = 16384;

    /** @param list<string> $tags */
    private function __construct(private readonly array $tags)
    {
    }

    public static function read(): self
    {
        return new self(file(getenv('LAB_SLOT_KEYS'), FILE_IGNORE_NEW_LINES));
    }

    /**
     * `count` keys in evenly spaced slots, and so in all shards.
     *
     * @return list<string>
     */
    public function spread(int $count, string $suffix): array
    {
        return array_map(fn (int $i) => $this->at(intdiv($i * self::SLOTS, $count), $suffix), range(0, $count - 1));
    }

    public function at(int $slot, string $suffix): string
    {
        return "{{$this->tags[$slot]}}:phpredis:$suffix";
    }
}
