//! The log: append, tiles, checkpoints, proofs, verification.
