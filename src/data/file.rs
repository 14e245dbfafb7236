//! Files named in a spec. Trust: checked (the hash is of the very bytes that are used).
//!
//! A name is relative to the spec's folder and stays inside it, also after symbolic links are followed. Only regular files
//! are opened (a FIFO would hang, a device has no end), each is read once, and the hash is computed on the bytes read.

use super::error::{DataError, DataErrorKind, Result, limit, near};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

/// Largest network file. Weights take 16 bytes in memory for every 2 to 8 in a file.
pub const NETWORK_BYTES: u64 = 256 << 20;
/// Largest file of a data set, before decompression.
pub const DATA_BYTES: u64 = 512 << 20;
/// Longest name that is looked up.
const NAME_BYTES: usize = 4096;

/// A SHA-256 hash; shown in lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256Hash(pub [u8; 32]);

impl Sha256Hash {
    pub fn of(bytes: &[u8]) -> Sha256Hash {
        Sha256Hash(Sha256::digest(bytes).into())
    }
}

impl std::fmt::Display for Sha256Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Sha256Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// The content of one file and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The name as written.
    pub name: String,
    pub bytes: Vec<u8>,
    pub sha256: Sha256Hash,
}

impl Contents {
    pub fn new(name: &str, bytes: Vec<u8>) -> Contents {
        let sha256 = Sha256Hash::of(&bytes);
        Contents { name: name.to_string(), bytes, sha256 }
    }

    /// Errors: [`DataErrorKind::Altered`] when the hash is not `expected` (hexadecimal in either case).
    pub fn check_hash(&self, expected: &str) -> Result<()> {
        compare_hash(&self.name, self.sha256, expected)
    }
}

/// Errors: `expected` is not 64 hexadecimal digits, or is not `found`.
pub fn compare_hash(name: &str, found: Sha256Hash, expected: &str) -> Result<()> {
    let expected = expected.to_ascii_lowercase();
    if expected.len() != 64 || !expected.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let kind = DataErrorKind::Malformed {
            at: "sha256".to_string(),
            expected: "64 hexadecimal digits".to_string(),
            found: format!("{} characters", expected.chars().count()),
        };
        return Err(DataError::new(name, kind));
    }
    if found.to_string() != expected {
        return Err(DataError::new(name, DataErrorKind::Altered { expected, found: found.to_string() }));
    }
    Ok(())
}

/// The folder that the names in a spec are relative to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Errors: the folder does not exist.
    pub fn new(path: &Path) -> Result<Folder> {
        match fs::canonicalize(path) {
            Ok(root) if root.is_dir() => Ok(Folder { root }),
            Ok(_) => refuse(&path.to_string_lossy(), "expected a folder, found a file".to_string()),
            Err(error) => refuse(&path.to_string_lossy(), format!("the folder cannot be read ({})", error.kind())),
        }
    }

    /// The folder that holds the spec.
    pub fn of_spec(spec: &Path) -> Result<Folder> {
        match spec.parent() {
            Some(parent) if parent != Path::new("") => Folder::new(parent),
            _ => Folder::new(Path::new(".")),
        }
    }

    /// The folder that holds the file `name`: external data of a network is relative to the network's own file.
    pub fn beside(&self, name: &str) -> Result<Folder> {
        let path = self.locate(name)?;
        match path.parent() {
            Some(parent) => Ok(Folder { root: parent.to_path_buf() }),
            None => Ok(self.clone()),
        }
    }

    /// Whether `name` is a regular file that may be read.
    pub fn has(&self, name: &str) -> bool {
        self.locate(name).is_ok_and(|path| path.is_file())
    }

    /// Reads a whole file once. Errors: see [`DataErrorKind`]; `most` is the size limit in bytes.
    pub fn read(&self, name: &str, most: u64) -> Result<Contents> {
        let path = self.locate(name)?;
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => return refuse(name, format!("the file cannot be read ({})", error.kind())),
        };
        regular(name, &metadata)?;
        if metadata.len() > most {
            return too_large(name, most, metadata.len());
        }
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) => return refuse(name, format!("the file cannot be read ({})", error.kind())),
        };
        // The path may have been replaced since it was examined; what is open now decides.
        match file.metadata() {
            Ok(metadata) => regular(name, &metadata)?,
            Err(error) => return refuse(name, format!("the file cannot be read ({})", error.kind())),
        }
        let mut bytes = Vec::new();
        let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
        if bytes.try_reserve_exact(size).is_err() {
            return too_large(name, most, metadata.len());
        }
        match file.take(most.saturating_add(1)).read_to_end(&mut bytes) {
            Ok(read) if read as u64 > most => too_large(name, most, read as u64),
            Ok(_) => Ok(Contents::new(name, bytes)),
            Err(error) => refuse(name, format!("the file cannot be read ({})", error.kind())),
        }
    }

    /// The canonical path of an existing file inside the folder.
    fn locate(&self, name: &str) -> Result<PathBuf> {
        check_name(name)?;
        let path = self.root.join(name);
        match fs::canonicalize(&path) {
            Ok(canonical) if canonical.starts_with(&self.root) => Ok(canonical),
            Ok(_) => refuse(name, "expected a file inside the spec's folder, found a link that leaves it".to_string()),
            Err(error) if error.kind() == ErrorKind::NotFound => self.missing(name, &path),
            Err(error) => refuse(name, format!("the file cannot be read ({})", error.kind())),
        }
    }

    fn missing<T>(&self, name: &str, path: &Path) -> Result<T> {
        const MOST_NAMES: usize = 10_000;
        let mut names: Vec<String> = Vec::new();
        // Only the names of the spec's own folder are shown, never those of a folder that a link leads to.
        let parent = path.parent().and_then(|parent| fs::canonicalize(parent).ok());
        if let Some(parent) = parent.filter(|parent| parent.starts_with(&self.root))
            && let Ok(entries) = fs::read_dir(&parent)
        {
            let names_here =
                entries.take(MOST_NAMES).flatten().filter_map(|entry| entry.file_name().into_string().ok());
            names.extend(names_here);
        }
        names.sort();
        let last = path.file_name().map(|last| last.to_string_lossy().into_owned()).unwrap_or_default();
        let near = near(&last, names.iter().map(String::as_str));
        Err(DataError::new(name, DataErrorKind::Missing { what: "a file".to_string(), near }))
    }
}

fn refuse<T>(name: &str, reason: String) -> Result<T> {
    Err(DataError::new(name, DataErrorKind::Path { reason }))
}

fn too_large<T>(name: &str, most: u64, found: u64) -> Result<T> {
    limit("file size", format!("{most} bytes"), format!("{found} bytes")).map_err(|error: DataError| error.named(name))
}

fn regular(name: &str, metadata: &fs::Metadata) -> Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let found = if metadata.is_dir() { "a folder" } else { "a device, pipe or socket" };
    refuse(name, format!("expected a regular file, found {found}"))
}

/// Refuses names that could mean different files on different systems, or a file outside the folder.
fn check_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return refuse(name, "expected a file name, found an empty one".to_string());
    }
    if name.len() > NAME_BYTES {
        return limit("file name", format!("{NAME_BYTES} bytes"), format!("{} bytes", name.len()));
    }
    if name.contains('\0') {
        return refuse(name, "expected a file name, found a NUL character in it".to_string());
    }
    let bytes = name.as_bytes();
    let drive = bytes.get(1) == Some(&b':') && bytes.first().is_some_and(u8::is_ascii_alphabetic);
    if name.starts_with('/') || name.starts_with('\\') || drive {
        return refuse(name, "expected a path relative to the spec's folder, found an absolute one".to_string());
    }
    if name.contains('\\') {
        return refuse(name, "expected `/` between folders, found `\\`".to_string());
    }
    let mut depth: i64 = 0;
    for component in Path::new(name).components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::ParentDir => depth -= 1,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => {
                return refuse(
                    name,
                    "expected a path relative to the spec's folder, found an absolute one".to_string(),
                );
            }
        }
        if depth < 0 {
            return refuse(name, "expected a path inside the spec's folder, found `..` that leaves it".to_string());
        }
    }
    Ok(())
}
