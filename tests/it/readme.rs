//! Every command of the README, run as a reader would.
//!
//! The format of the README that this relies on:
//! - All blocks marked `sh` form one bash session, in order, in one directory; each must succeed.
//! - A block marked `text` right after one shows parts of its output: each line must be in it, one after the other.
//! - Lines that start with `cargo` are not run again here: they are the ones in [`CARGO`], each run by other means.
//! - The server is the one under test at a free port, which takes the place of the default address in commands and
//!   output.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::launch::Home;
use crate::support::{Launch, shell};

/// Commands of the README and what runs them.
const CARGO: &[(&str, &str)] = &[
    ("cargo run --release", "this test starts the same program"),
    ("cargo run --release --example crm", "`example` runs it"),
    ("cargo xtask test", "which runs this test"),
];

const DEFAULT_ADDRESS: &str = "127.0.0.1:17010";
const MARK: &str = "=== end of block";

/// Commands, and what they print.
#[derive(Debug, Default, PartialEq)]
struct Block {
    commands: Vec<String>,
    output: Vec<String>,
}

/// The blocks of a Markdown text.
fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = markdown.lines();
    let mut is_adjacent = false;
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            is_adjacent &= line.is_empty();
            continue;
        };
        let content: Vec<String> =
            lines.by_ref().take_while(|line| *line != "```").map(str::to_owned).collect();
        match (language, blocks.last_mut()) {
            ("sh", _) => blocks.push(Block { commands: content, output: Vec::new() }),
            ("text", Some(block)) if is_adjacent => block.output = content,
            _ => {}
        }
        is_adjacent = language == "sh";
    }
    blocks
}

/// The session as a script that prints a mark after each block.
#[track_caller]
fn script(blocks: &[Block]) -> String {
    let mut script = String::new();
    for block in blocks {
        for command in &block.commands {
            let words: Vec<_> = command
                .split_once('#')
                .map_or(command.as_str(), |(words, _)| words)
                .split_whitespace()
                .collect();
            if words.first() == Some(&"cargo") {
                let command = words.join(" ");
                assert!(CARGO.iter().any(|(known, _)| *known == command), "nothing runs `{command}`");
                continue;
            }
            script.push_str(command);
            script.push('\n');
        }
        script.push_str(&format!("echo; echo '{MARK}'\n"));
    }
    script
}

/// Fails the test unless the expected texts are there, one after the other.
#[track_caller]
fn check_output(block: &Block, output: &str) {
    let mut rest = output;
    for expected in &block.output {
        let found = rest.split_once(expected.as_str());
        (_, rest) =
            found.unwrap_or_else(|| panic!("no [{expected}] in:\n{rest}\nwhich is the rest of:\n{output}"));
    }
}

#[test]
fn every_command_works() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = fs::read_to_string(&readme).unwrap_or_else(|error| panic!("{}: {error}", readme.display()));
    let blocks = blocks(&text);
    assert!(
        blocks.iter().any(|block| block.commands.iter().any(|line| line.trim() == CARGO[0].0)),
        "no start"
    );

    let home = Home::new();
    let work = home.work();
    symlink(home.data(), work.join("zato-data")).unwrap();
    let server = Launch::new().start_in(home);
    let session = script(&blocks).replace(DEFAULT_ADDRESS, &server.address().to_string());
    let output = shell::bash(&work, &session).replace(&server.address().to_string(), DEFAULT_ADDRESS);
    let outputs: Vec<_> = output.split(&format!("{MARK}\n")).collect();
    assert_eq!(outputs.len(), blocks.len() + 1);
    for (block, output) in blocks.iter().zip(outputs) {
        check_output(block, output);
    }
}

#[test]
fn blocks_are_found() {
    let markdown = "# T\n```sh\na\nb\n```\n\n```text\nx y\n```\n```rust\nc\n```\n```sh\nd\n```\nProse.\n```text\nno\n```\n";
    let block = |commands: &[&str], output: &[&str]| Block {
        commands: commands.iter().map(|&line| line.to_owned()).collect(),
        output: output.iter().map(|&line| line.to_owned()).collect(),
    };
    assert_eq!(blocks(markdown), [block(&["a", "b"], &["x y"]), block(&["d"], &[])]);
}
