fn main() -> std::process::ExitCode {
    diemtin::cli::main()
}
