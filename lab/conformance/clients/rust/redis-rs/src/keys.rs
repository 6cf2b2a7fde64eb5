//! Keys in chosen slots, by the hash tags of the file `LAB_SLOT_KEYS`: its i-th line has the i-th slot.

use std::{env, fs, io};

pub const CLIENT: &str = "redis-rs";
pub const SLOTS: usize = 16384;

pub struct Keys {
    tags: Vec<String>,
}

impl Keys {
    pub fn read() -> io::Result<Self> {
        let file = env::var("LAB_SLOT_KEYS").map_err(io::Error::other)?;
        let tags = fs::read_to_string(file)?
            .lines()
            .map(str::to_owned)
            .collect();
        Ok(Self { tags })
    }

    /// `count` keys in evenly spaced slots, and so in all shards.
    pub fn spread(&self, count: usize, suffix: &str) -> Vec<String> {
        (0..count)
            .map(|number| self.at(number * SLOTS / count, suffix))
            .collect()
    }

    pub fn at(&self, slot: usize, suffix: &str) -> String {
        format!("{{{}}}:{CLIENT}:{suffix}", self.tags[slot])
    }
}
