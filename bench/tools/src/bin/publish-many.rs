//! How fast small packages are published, one by one, into a registry that a server serves.
//!
//! ```text
//! publish-many ADDRESS TOKEN PACKAGES PUBLISHERS
//! ```
//!
//! Each publication is what `weir publish` does of it over the network: a question, an upload, a batch.

use std::time::Instant;

use weir_bench::{Anything, println_result};
use weir_client::{Credential, HttpClient, HttpOptions, Url};
use weir_fs::Folder;
use weir_package::Package;
use weir_registry::{Batch, Intent, Registry};
use weir_remote::RemoteRegistry;
use weir_tree::{Selection, read_folder, write_pack};

fn main() -> Result<(), Anything> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, token, packages, publishers] = arguments.as_slice() else {
        return Err("usage: publish-many ADDRESS TOKEN PACKAGES PUBLISHERS".into());
    };
    let (packages, publishers): (usize, usize) = (packages.parse()?, publishers.parse()?);
    let base: Url = address.parse()?;
    let run = std::process::id();
    let prepared: Vec<_> = (0..packages).map(|number| prepare(run, number)).collect::<Result<_, _>>()?;
    let start = Instant::now();
    std::thread::scope(|scope| {
        let parts = prepared.chunks(packages.div_ceil(publishers));
        let running: Vec<_> = parts
            .map(|part| {
                let (base, token) = (&base, token);
                scope.spawn(move || publish(base, token, part).map_err(|error| error.to_string()))
            })
            .collect();
        for publisher in running {
            publisher.join().map_err(|_| "a publisher panicked")??;
        }
        Ok::<(), Anything>(())
    })?;
    let seconds = start.elapsed().as_secs_f64();
    println_result(&format!(
        "{packages} packages by {publishers}: {seconds:.2} s, {:.0} a second",
        packages as f64 / seconds
    ));
    Ok(())
}

/// A pack, and the batch that registers it.
type Prepared = (weir_model::TreeDigest, Vec<u8>, Batch);

fn prepare(run: u32, number: usize) -> Result<Prepared, Anything> {
    let folder = tempfile::tempdir()?;
    let name = format!("bench-{run}/widget-{number}");
    fs_err::write(
        folder.path().join("weir.toml"),
        format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\n"),
    )?;
    fs_err::write(folder.path().join("file"), format!("{number}").repeat(200))?;
    let tree = read_folder(folder.path(), &Selection::everything())?;
    let mut pack = Vec::new();
    write_pack(folder.path(), &tree, &mut pack, 1)?;
    let digest = tree.digest();
    let draft = Package::read(&Folder::open(folder.path())?, tree)?.draft(pack.len() as u64);
    Ok((digest, pack, Batch { intents: vec![Intent::Publish(Box::new(draft))] }))
}

fn publish(base: &Url, token: &str, part: &[Prepared]) -> Result<(), Anything> {
    let client = HttpClient::new(HttpOptions::default());
    let credential = Credential::bearer(base.origin().clone(), token)?;
    let registry = RemoteRegistry::open(client, base, Some(credential))?;
    for (tree, pack, batch) in part {
        if registry.pack_size(tree)?.is_none() {
            registry.put_pack(tree, &mut pack.as_slice())?;
        }
        registry.submit(batch)?;
    }
    Ok(())
}
