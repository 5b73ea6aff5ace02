//! One short function a command.
use std::process::ExitCode;

pub fn main() -> ExitCode {
    todo!()
}
