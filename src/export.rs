//! Makes the folder hold what the store holds.
