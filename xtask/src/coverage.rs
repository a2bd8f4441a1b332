//! `cargo xtask coverage`: how much of the public API is built. It knows the catalogue only, not the handlers: that a
//! built service has one is for the compiler to check.

use std::process::ExitCode;

use crate::codegen::model::Family;
use crate::codegen::read;

/// Prints the table of families and the list of planned services.
pub(crate) fn run() -> ExitCode {
    match read::catalogue(&crate::root()) {
        Ok(families) => {
            print!("{}", render(&families));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}", crate::report(&error));
            ExitCode::FAILURE
        }
    }
}

fn render(families: &[Family]) -> String {
    let width = families.iter().map(|family| family.name.len()).max().unwrap_or(0).max("family".len());
    let mut text = format!("{:width$}  built  planned  total\n", "family");
    let mut all_built = 0;
    let mut all = 0;
    for family in families {
        let total = family.services.len();
        let built = family.services.iter().filter(|service| service.built).count();
        push_row(&mut text, width, &family.name, built, total);
        all_built += built;
        all += total;
    }
    push_row(&mut text, width, "all", all_built, all);
    text.push_str("\nPlanned:\n");
    for service in families.iter().flat_map(|family| &family.services).filter(|service| !service.built) {
        text.push_str("  ");
        text.push_str(&service.name);
        text.push('\n');
    }
    text
}

fn push_row(text: &mut String, width: usize, name: &str, built: usize, total: usize) {
    text.push_str(&format!("{name:width$}  {built:5}  {:7}  {total:5}\n", total - built));
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn counts_add_up() {
        let families = crate::codegen::read::catalogue(&crate::root()).unwrap();
        let text = render(&families);
        let (table, planned) = text.split_once("\nPlanned:\n").unwrap();
        let rows: Vec<Vec<usize>> = table
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect())
            .collect();
        let (all, rest) = rows.split_last().unwrap();
        for column in 0..3 {
            assert_eq!(all[column], rest.iter().map(|row| row[column]).sum::<usize>());
        }
        assert_eq!(all[0] + all[1], all[2]);
        assert_eq!(planned.lines().count(), all[1]);
    }
}
