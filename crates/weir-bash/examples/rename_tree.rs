//! Renames the shell files of a folder: `rename_tree FROM TO SLUGS MARK|- [EXPORTS.json:SLUG:MARK]…`; the new names go to `TO.json`.
#![expect(clippy::print_stdout, reason = "an example reports on the terminal")]
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use weir_bash::rename::{Dependency, SourceFile, Subject, rename};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, slugs, mark, deps @ ..] = &args[..] else { return Err("usage".into()) };
    let mut files = Vec::new();
    let mut rest = vec![PathBuf::from(from)];
    while let Some(folder) = rest.pop() {
        for entry in fs_err::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                rest.push(path);
            } else if ["sh", "bash", "bats"].iter().any(|ext| path.extension().is_some_and(|e| e == *ext)) {
                let relative = path.strip_prefix(Path::new(from))?.to_string_lossy().into_owned();
                files.push(SourceFile { path: relative, bytes: fs_err::read(&path)? });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let subject = Subject {
        slugs: slugs.split(',').map(str::to_owned).collect(),
        mark: (mark != "-").then(|| mark.clone()),
        ..Subject::default()
    };
    let mut dependencies = Vec::new();
    for dep in deps {
        let parts: Vec<&str> = dep.split(':').collect();
        dependencies.push(Dependency {
            name: parts[1].into(),
            slugs: vec![parts[1].into()],
            mark: Some(parts[2].into()),
            exports: serde_json::from_str(&fs_err::read_to_string(parts[0])?)?,
            under_test: false,
        });
    }
    let started = std::time::Instant::now();
    let output = rename(files, &subject, &dependencies);
    let took = started.elapsed();
    for file in &output.files {
        let path = Path::new(to).join(&file.path);
        fs_err::create_dir_all(path.parent().ok_or("no parent")?)?;
        fs_err::write(path, &file.bytes)?;
    }
    fs_err::write(format!("{to}.json"), serde_json::to_string_pretty(&output.exports)?)?;
    let report = &output.report;
    println!(
        "{} definitions, {} uses, {} undecided, {took:?}",
        report.definitions.len(),
        report.uses.len(),
        report.undecided.len()
    );
    let mut counts = BTreeMap::new();
    for doubt in &report.undecided {
        *counts.entry(doubt.why).or_insert(0) += 1;
        println!("  {doubt}");
    }
    for unread in &report.unread {
        println!("  {unread}");
    }
    println!("{counts:?}");
    Ok(())
}
