//! What is registered is what was uploaded, whoever drafted it and wherever the registry is kept.

use serde_json::json;
use weir_model::{BuildFacts, Digest, KindName, ReferenceFact, Scope};
use weir_registry::{Batch, Code, Draft, Intent, Receipt, Registry as _, SubmitError, Wanted};

use crate::conformance::{Site, each};
use crate::world::{built, folder, package, upload};

const PACKAGE: &str = "license = \"MIT\"\ndescription = \"Says hello\"\nkeywords = [\"hello\"]\n";
const TABLES: &str = "[bin]\ngreet = \"bin/greet\"\n[dependencies]\n\"acme/base\" = \"^1\"\n\
    [references.data]\nurl = \"https://host.example/data\"\nsha256 = \
    \"sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"\nsize = 5\n";

fn submit(site: &Site, draft: &Draft) -> Result<Receipt, SubmitError> {
    site.registry().submit(&Batch { intents: vec![Intent::Publish(Box::new(draft.clone()))] })
}

fn greet(site: &Site) -> Draft {
    package(&site.registry(), "acme/greet 1.0.0", PACKAGE, TABLES, &[("bin/greet", "echo hello\n")])
}

/// A draft that is changed in one field, how the field is called, and what the pack gives.
type Lie = (fn(&mut Draft), &'static str, &'static str);

#[test]
fn a_draft_that_says_something_else_than_its_pack_is_refused_and_tells_field_and_values() {
    let lies: &[Lie] = &[
        (|draft| draft.id = "acme/other 1.0.0".parse().unwrap(), "id", "\"acme/greet 1.0.0\""),
        (|draft| draft.id = "acme/greet 2.0.0".parse().unwrap(), "id", "\"acme/greet 1.0.0\""),
        (|draft| draft.id.platform = "x86-64-debian-13".parse().unwrap(), "id", "\"acme/greet 1.0.0\""),
        (|draft| draft.kind = KindName::Data, "kind", "\"generic\""),
        (|draft| draft.unpacked -= 1, "unpacked", ""),
        (|draft| draft.files += 1, "files", "2"),
        (|draft| draft.dependencies.clear(), "dependencies", "acme/base"),
        (|draft| draft.dependencies[0].fluid = true, "dependencies", "\"fluid\":false"),
        (|draft| draft.dependencies[0].scope = Scope::Build, "dependencies", "\"scope\":\"run\""),
        (
            |draft| {
                let base = draft.dependencies[0].clone();
                draft.dependencies.push(Wanted { scope: Scope::Build, ..base });
            },
            "dependencies",
            "acme/base",
        ),
        (|draft| draft.references[0].size = Some(6), "references", "\"size\":5"),
        (
            |draft| {
                let data = draft.references[0].clone();
                draft.references.push(ReferenceFact { name: "more".into(), ..data });
            },
            "references",
            "data",
        ),
        (|draft| draft.recipe = Some(Digest::of("recipe")), "recipe", "null"),
        (|draft| draft.toolchain = Some(Digest::of("toolchain")), "toolchain", "null"),
        (|draft| draft.license = Some("0BSD".into()), "license", "\"MIT\""),
        (|draft| draft.description = None, "description", "\"Says hello\""),
        (|draft| drop(draft.facts.remove("keywords")), "facts.keywords", "[\"hello\"]"),
        (|draft| drop(draft.facts.insert("bin".into(), json!({ "ls": "bin/greet" }))), "facts.bin", "greet"),
        (|draft| drop(draft.facts.insert("more".into(), json!("x"))), "facts.more", "null"),
        (|draft| drop(draft.facts.insert("build".into(), json!({}))), "facts.build", "null"),
    ];
    each(|site| {
        site.publish("acme/base 1.0.0", &[]);
        let honest = greet(site);
        let before = site.size();
        for (lie, field, gives) in lies {
            let mut draft = honest.clone();
            lie(&mut draft);
            let error = submit(site, &draft).expect_err(field);
            assert_eq!(error.code(), Code::DraftDiffers, "{field}: {error}");
            let SubmitError::DraftDiffers { field: told, derived, .. } = &error else { panic!("{error}") };
            assert_eq!(told, field);
            assert!(derived.contains(gives), "{error}");
            assert_eq!(error.refusal().subject, Some(draft.id.to_string()));
        }
        assert_eq!(site.size(), before);
        submit(site, &honest).unwrap();
    });
}

#[test]
fn what_follows_from_no_file_is_the_publishers_word() {
    each(|site| {
        site.publish("acme/base 1.0.0", &[]);
        let mut draft = greet(site);
        draft.id.revision = 3;
        let from = json!({ "url": "https://host.example/acme/greet", "tag": "v1", "commit": "00" });
        draft.facts.insert("git".into(), from);
        draft.references[0].fluid = false;
        submit(site, &draft).unwrap();
    });
}

#[test]
fn what_makes_no_release_is_refused_whatever_is_said_of_it() {
    let manifest = |more: &str| format!("[package]\nname = \"acme/greet\"\nversion = \"1.0.0\"\n{more}");
    let address = |url: &str| {
        manifest(&format!(
            "[references.key]\nurl = \"{url}\"\nsha256 = \"{}\"\n",
            Digest::<weir_model::of::Bytes>::of("x")
        ))
    };
    each(|site| {
        for (text, reason) in [
            (None, "has no `weir.toml`"),
            (Some(manifest("nonsense")), "weir.toml"),
            (Some(manifest("kind = \"tulip\"\n")), "kind"),
            (Some(manifest("license = \"Mine\"\n")), "Mine"),
            (Some(address("/home/ann/.ssh/id")), "/home/ann/.ssh/id"),
            (Some(address("file:///etc/passwd")), "file:///etc/passwd"),
            (Some(address("../secret")), "../secret"),
            (Some(manifest("[dependencies]\n\"acme/b\" = { path = \"../b\" }\n")), "../b"),
            (Some(manifest("[bin]\nx = \"bin/none\"\n")), "bin/none"),
            (Some(manifest("kind = \"native\"\n")), "release"),
        ] {
            let file = [("file", "x")];
            let manifest = text.as_deref().map(|text| ("weir.toml", text));
            let folder = folder(&file.into_iter().chain(manifest).collect::<Vec<_>>());
            let (tree, size) = upload(&site.registry(), folder.path());
            let mut draft = built(&site.registry(), "acme/greet 1.0.0");
            draft.kind = KindName::Generic;
            draft.recipe = None;
            draft.facts.clear();
            (draft.tree, draft.size) = (tree.digest(), size);
            (draft.unpacked, draft.files) = (tree.unpacked_size(), tree.files());
            let error = submit(site, &draft).expect_err(reason);
            assert_eq!(error.code(), Code::NotPublishable, "{reason}: {error}");
            assert!(error.to_string().contains(reason), "{reason}: {error}");
        }
    });
}

/// What a recipe built has no manifest; the files are looked at all the same.
#[test]
fn what_was_built_is_looked_into_as_well() {
    each(|site| {
        let registry = site.registry();
        let mut honest = built(&registry, "acme/lib 1.0.0");
        for evidence in ["recipe", "toolchain", "log"] {
            registry.put_file(&Digest::of(evidence), &mut evidence.as_bytes()).unwrap();
        }
        BuildFacts { log: Some(Digest::of("log")), ..BuildFacts::default() }.insert_into(&mut honest.facts);
        let refused = |lie: &dyn Fn(&mut Draft)| {
            let mut draft = honest.clone();
            lie(&mut draft);
            submit(site, &draft).unwrap_err()
        };
        let offers = json!({ "variants": { "release": { "offers": ["libc.so.6"] } } });
        let error = refused(&|draft| drop(draft.facts.insert("native".into(), offers.clone())));
        assert!(
            matches!(&error, SubmitError::DraftDiffers { field, .. } if field == "facts.native"),
            "{error}"
        );
        let error = refused(&|draft| draft.files += 1);
        assert!(matches!(&error, SubmitError::DraftDiffers { field, .. } if field == "files"), "{error}");
        for lie in [
            (|draft| draft.kind = KindName::Generic) as fn(&mut Draft),
            |draft| draft.license = Some("Mine".into()),
            |draft| draft.recipe = None,
        ] {
            assert_eq!(refused(&lie).code(), Code::NotPublishable);
        }
        submit(site, &honest).unwrap();
    });
}
