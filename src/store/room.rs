//! Whether there is room on the disks.

use std::path::Path;

/// Of a disk that must stay free, besides a number of bytes.
const PART: u64 = 20;

/// Why there is too little, if so: fewer than `least` bytes, or 5 %, are free where one of the paths is or will be.
/// A disk that cannot be asked is not full. Zero bytes: never.
pub fn short_of_room(paths: &[&Path], least: u64) -> Option<String> {
    if least == 0 {
        return None;
    }
    paths.iter().find_map(|path| {
        let there = path.ancestors().find(|path| path.exists())?;
        let disk = fs2::statvfs(there).ok()?; // said above
        too_little(disk.available_space(), disk.total_space(), least).then(|| {
            let (free, total) = (disk.available_space(), disk.total_space());
            let part = if total / PART > least { ", which is 5 %" } else { "" };
            let (path, least) = (path.display(), mib(least.max(total / PART)));
            format!("{} MiB free of {} MiB at {path}, less than {least} MiB{part}", mib(free), mib(total))
        })
    })
}

fn too_little(free: u64, total: u64, least: u64) -> bool {
    free < least || free < total / PART
}

fn mib(bytes: u64) -> u64 {
    bytes >> 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_parts_both_count() {
        const MIB: u64 = 1 << 20;
        assert!(too_little(511 * MIB, 600 * MIB, 512 * MIB));
        assert!(!too_little(512 * MIB, 600 * MIB, 512 * MIB));
        assert!(too_little(4 << 30, 100 << 30, 512 * MIB));
        assert!(!too_little(5 << 30, 100 << 30, 512 * MIB));
        let dir = tempfile::tempdir().unwrap();
        let not_yet = dir.path().join("a/b");
        assert!(short_of_room(&[&not_yet], u64::MAX).is_some_and(|why| why.contains("MiB free of")));
        assert_eq!(short_of_room(&[&not_yet], 0), None);
    }
}
