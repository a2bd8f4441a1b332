//! `cargo xtask codegen`: from `crates/zato-catalogue/catalogue/*.toml` to descriptors, typed requests, documents of
//! the API, OpenAPI and WSDL. The catalogue is the only input: no clock, no network, no other crate.

mod docs;
mod example;
mod json;
pub(crate) mod model;
mod openapi;
pub(crate) mod read;
mod rust;
mod validate;
mod wsdl;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Folders that hold generated files only.
const OUTPUT_FOLDERS: [&str; 2] = ["crates/zato-catalogue/src/generated", "docs/api"];

/// Generated files by path relative to the root of the workspace.
pub(crate) type Files = BTreeMap<PathBuf, String>;

/// Write everything that is generated from the catalogue.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Compare instead of writing; name the stale files and fail if there are any.
    #[arg(long)]
    check: bool,
}

/// What keeps code from being generated or files from being compared and written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("The catalogue cannot be read")]
    Read(#[from] read::ReadError),
    #[error("The catalogue is not valid:\n{}", problems.iter().map(|p| format!("  {p}\n")).collect::<String>())]
    Invalid { problems: Vec<validate::Problem> },
    #[error("rustfmt cannot format {}: {message}", path.display())]
    Format { path: PathBuf, message: String },
    #[error("{} cannot be accessed", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// Generates and writes, or compares; names each file that is new, changed or gone.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let root = crate::root();
    let stale = generate(&root).and_then(|files| {
        let stale = stale(&root, &files)?;
        if !arguments.check {
            write(&root, &files, &stale)?;
        }
        Ok(stale)
    });
    match stale {
        Ok(stale) if arguments.check && !stale.is_empty() => {
            for path in &stale {
                eprintln!("stale: {}", path.display());
            }
            eprintln!("Run `cargo xtask codegen`.");
            ExitCode::FAILURE
        }
        Ok(stale) => {
            for path in &stale {
                println!("updated {}", path.display());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}", crate::report(&error));
            ExitCode::FAILURE
        }
    }
}

fn generate(root: &Path) -> Result<Files, Error> {
    let families = read::catalogue(root)?;
    let problems = validate::problems(&families);
    if !problems.is_empty() {
        return Err(Error::Invalid { problems });
    }
    let mut files = rust::files(root, &families)?;
    let generated = Path::new(OUTPUT_FOLDERS[0]);
    files.insert(generated.join("openapi.json"), openapi::document(&families));
    files.insert(generated.join("zato.wsdl"), wsdl::document(&families));
    files.extend(docs::files(Path::new(OUTPUT_FOLDERS[1]), &families));
    Ok(files)
}

/// Files whose content differs, files that are not there, and files that should no longer be there.
fn stale(root: &Path, files: &Files) -> Result<Vec<PathBuf>, Error> {
    let mut present = Vec::new();
    for folder in OUTPUT_FOLDERS {
        list(root, Path::new(folder), &mut present)?;
    }
    let mut stale: Vec<PathBuf> = present.into_iter().filter(|path| !files.contains_key(path)).collect();
    for (path, content) in files {
        match fs::read_to_string(root.join(path)) {
            Ok(current) if current == *content => {}
            Ok(_) => stale.push(path.clone()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => stale.push(path.clone()),
            Err(source) => return Err(Error::Io { path: path.clone(), source }),
        }
    }
    stale.sort();
    Ok(stale)
}

fn list(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let entries = match fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::Io { path: folder.to_owned(), source }),
    };
    for entry in entries {
        let entry = entry.map_err(|source| Error::Io { path: folder.to_owned(), source })?;
        let path = folder.join(entry.file_name());
        if entry.path().is_dir() {
            list(root, &path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn write(root: &Path, files: &Files, stale: &[PathBuf]) -> Result<(), Error> {
    for path in stale {
        let full = root.join(path);
        let done = match (files.get(path), full.parent()) {
            (Some(content), Some(folder)) => {
                fs::create_dir_all(folder).and_then(|()| fs::write(&full, content))
            }
            (Some(content), None) => fs::write(&full, content),
            (None, _) => fs::remove_file(&full),
        };
        done.map_err(|source| Error::Io { path: path.clone(), source })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    #[test]
    fn committed_files_are_fresh() {
        let root = crate::root();
        let files = super::generate(&root).unwrap_or_else(|error| panic!("{}", crate::report(&error)));
        let stale = super::stale(&root, &files).unwrap();
        assert_eq!(stale, Vec::<PathBuf>::new(), "run `cargo xtask codegen`");
    }
}
