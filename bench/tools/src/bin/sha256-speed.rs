//! Prints how many bytes a second this machine digests with SHA-256 in memory, on as many threads as are asked for.
//!
//! ```text
//! sha256-speed [THREADS]
//! ```

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::time::Instant;

use sha2::{Digest as _, Sha256};

const BLOCK: usize = 8 << 20;
const BLOCKS: usize = 96;

fn main() {
    let threads: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                let block = vec![thread as u8; BLOCK];
                for _ in 0..BLOCKS {
                    std::hint::black_box(Sha256::digest(&block));
                }
            });
        }
    });
    println!("{:.0}", (threads * BLOCK * BLOCKS) as f64 / start.elapsed().as_secs_f64());
}
