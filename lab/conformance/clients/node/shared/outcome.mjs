// Runs one behaviour within a limit of time, and prints in one line of JSON how it went.

const LIMIT_SECONDS = 20;

// `run` gives what was seen, or throws: WrongAnswer, or whatever the client throws. When it does neither in time,
// `lastEvent` gives the client's last `error` event, if any.
export async function report(behaviour, run, lastEvent) {
  const started = performance.now();
  let timer;
  const limit = new Promise((resolve) => {
    timer = setTimeout(() => resolve(['fail', describeTimeout(lastEvent())]), LIMIT_SECONDS * 1000);
  });
  const ended = run().then(
    (seen) => ['pass', seen],
    (error) => ['fail', describe(error)],
  );
  const [outcome, detail] = await Promise.race([ended, limit]);
  clearTimeout(timer);
  const seconds = Math.round((performance.now() - started) / 10) / 100;
  say({ behaviour, outcome, detail, seconds });
}

function describeTimeout(event) {
  const text = `no answer in ${LIMIT_SECONDS} s`;
  return event ? `${text} (${describe(event)})` : text;
}

// An error as its user would see it, and the one behind it where the client keeps one.
export function describe(error) {
  const name = error.name === 'Error' ? error.constructor.name : error.name;
  const text = `${name}: ${error.message}`;
  const behind = error.lastNodeError ?? error.cause ?? error.errors?.[0];
  return behind ? `${text} (${describe(behind)})` : text;
}

// A line of the result.
export function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
