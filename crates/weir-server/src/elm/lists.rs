//! The lists of a registry for each version of the compiler, made when they are asked for and kept until the log grows.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use weir_elm_protocol::{Asked, Listing, all_packages, releases, search, since};
use weir_index::Index;
use weir_model::Version;
use weir_registry::SubmitError;

use super::{Document, failed};
use crate::app::App;
use crate::asker::Asker;
use crate::problem::{Code, Problem};
use crate::registries::Served;

/// So many versions of the compiler are remembered.
const MOST_COMPILERS: usize = 16;

/// What is shorter is not compressed, in bytes.
const SHORT: usize = 1 << 10;

/// The lists of a registry.
#[derive(Default)]
pub(crate) struct Lists {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    listing: Listing,
    compilers: HashMap<Version, ForCompiler>,
}

/// What a version of the compiler is told.
#[derive(Default)]
struct ForCompiler {
    places: Vec<usize>,
    all_packages: Option<Document>,
    search: Option<Document>,
}

/// Finds a list, as whoever asks may read it.
pub(super) async fn find(
    app: &Arc<App>,
    asker: &Asker,
    served: &Arc<Served>,
    compiler: &Version,
    asked: Asked,
) -> Result<Document, Problem> {
    let at = crate::api::Asked::of_reader(app, asker, served.name.as_str()).await?;
    let compiler = compiler.clone();
    let lists = at.served.clone();
    let found = at.carry_out(move |acting| {
        let view = acting.view()?;
        lists.elm.find(view.index(), compiler, &asked)
    });
    found.await?.ok_or_else(|| Problem::new(Code::NotFound, "the registry has no such Elm package"))
}

impl Lists {
    fn find(&self, index: &Index, compiler: Version, asked: &Asked) -> Result<Option<Document>, SubmitError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { listing, compilers } = &mut *kept;
        if listing.follow(index).map_err(failed)? || compilers.len() > MOST_COMPILERS {
            compilers.clear();
        }
        let told = compilers.entry(compiler).or_insert_with_key(|compiler| ForCompiler {
            places: listing.of_compiler(compiler),
            ..ForCompiler::default()
        });
        let ForCompiler { places, all_packages: all, search: found } = told;
        Ok(Some(match asked {
            Asked::AllPackages => kept_as(all, || all_packages(listing.offered(places))),
            Asked::Search => kept_as(found, || search(listing.offered(places))),
            Asked::Since(count) => {
                let told = usize::try_from(*count).unwrap_or(usize::MAX).min(places.len());
                Document::json(since(listing.offered(&places[told..])))
            }
            Asked::Releases(name) => match releases(listing.offered(places), name) {
                Some(text) => Document::json(text),
                None => return Ok(None),
            },
            Asked::Capabilities | Asked::File(..) => return Ok(None),
        }))
    }
}

/// What is kept, made if it is not there.
fn kept_as(kept: &mut Option<Document>, make: impl FnOnce() -> String) -> Document {
    kept.get_or_insert_with(|| {
        let document = Document::json(make());
        let gzip = (document.bytes.len() >= SHORT).then(|| gzip(&document.bytes)).flatten();
        Document { gzip, ..document }
    })
    .clone()
}

fn gzip(bytes: &[u8]) -> Option<bytes::Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Into::into)
}
