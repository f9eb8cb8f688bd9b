//! The schema of all documents, as it is published: generated from the types, and compared with them by a test.

use std::collections::BTreeMap;

use clap::CommandFactory as _;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::{building, itself, looking, project, publishing, registry, server, store};
use crate::Weir;
use crate::failure::FailureDocument;

/// Where it is published.
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/json-schema.json");

/// Commands that tell nothing of their own: they end as what they run, or play.
const SILENT: &[&str] = &["run", "test", "demo"];

/// The schema of one command's document.
type Described = fn(&mut SchemaGenerator) -> Schema;

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Each command, with its document.
const DOCUMENTS: &[(&str, Described)] = &[
    ("init", of::<weir_project::InitReport>),
    ("install", of::<weir_project::InstallReport>),
    ("add", of::<weir_project::AddReport>),
    ("remove", of::<weir_project::RemoveReport>),
    ("update", of::<weir_project::UpdateReport>),
    ("lock", of::<weir_project::LockReport>),
    ("env", of::<project::Environment>),
    ("bash init", of::<project::LoaderScript>),
    ("bash check", of::<project::BashCheck>),
    ("bash bundle", of::<project::Bundle>),
    ("elm diff", of::<weir_project::ElmDiff>),
    ("tree", of::<looking::DependencyTree>),
    ("list", of::<looking::InstalledReleases>),
    ("why", of::<looking::Ways>),
    ("prefetch", of::<project::Prefetching>),
    ("outdated", of::<weir_project::OutdatedPackages>),
    ("audit", of::<weir_project::LockAudit>),
    ("advisory import", of::<weir_project::ImportedAdvisories>),
    ("advisory list", of::<weir_project::RegistryAdvisories>),
    ("advisory show", of::<weir_project::ShownAdvisory>),
    ("advisory remove", of::<publishing::Submission>),
    ("search", of::<weir_project::SearchReport>),
    ("info", of::<weir_project::Info>),
    ("impact", of::<weir_project::ImpactReport>),
    ("downloads", of::<weir_wire::downloads::PackageDownloads>),
    ("verify", of::<weir_project::VerifyReport>),
    ("pack", of::<weir_project::PackReport>),
    ("publish", of::<weir_project::PublishReport>),
    ("promote", of::<publishing::Promotion>),
    ("approve", of::<weir_wire::promotion::KeptPromotion>),
    ("import", of::<weir_project::ImportedPackage>),
    ("yank", of::<publishing::Submission>),
    ("unyank", of::<publishing::Submission>),
    ("quarantine", of::<publishing::Submission>),
    ("unquarantine", of::<publishing::Submission>),
    ("unpublish", of::<publishing::Submission>),
    ("batch", of::<weir_project::PublishReport>),
    ("claim", of::<publishing::Submission>),
    ("repo add", of::<building::Action<'_>>),
    ("repo update", of::<building::Action<'_>>),
    ("repo remove", of::<building::Action<'_>>),
    ("repo plan", of::<building::Action<'_>>),
    ("repo status", of::<building::RepoStatus>),
    ("repo verify", of::<weir_registry::RegistryAudit>),
    ("repo log", of::<building::BuildLog>),
    ("repo provenance", of::<building::BuildProvenance>),
    ("repo import", of::<weir_repo::ImportedRecipes>),
    ("build", of::<building::Build<'_>>),
    ("sysroot create", of::<weir_repo::SysrootReport>),
    ("root create", of::<building::MadeRoot>),
    ("root show", of::<building::ShownRoot>),
    ("registry init", of::<weir_reach::MadeRegistry>),
    ("registry list", of::<registry::KnownRegistries>),
    ("registry add", of::<weir_reach::KnownRegistry>),
    ("registry remove", of::<weir_reach::KnownRegistry>),
    ("registry show", of::<weir_reach::ShownRegistry>),
    ("registry verify", of::<weir_registry::RegistryAudit>),
    ("registry gc", of::<weir_registry::Collected>),
    ("registry deltas", of::<weir_registry::DeltasMade>),
    ("registry compact", of::<weir_registry::Compacted>),
    ("registry site", of::<weir_site::Written>),
    ("registry renew", of::<registry::Renewed>),
    ("registry rotate-key", of::<weir_model::descriptor::Descriptor>),
    ("registry bind", of::<weir_reach::BoundKey>),
    ("registry capabilities", of::<weir_reach::Discovered>),
    ("registry create", of::<weir_model::descriptor::Descriptor>),
    ("registry adopt", of::<publishing::Submission>),
    ("registry held", of::<weir_reach::HeldReleases>),
    ("registry retention show", of::<registry::ShownRetention>),
    ("registry retention set", of::<publishing::Submission>),
    ("registry retention run", of::<weir_project::RetentionReport>),
    ("registry export", of::<weir_registry::Exported>),
    ("registry import", of::<weir_reach::Imported>),
    ("registry upstream add", of::<weir_reach::Upstreams>),
    ("registry upstream list", of::<weir_reach::Upstreams>),
    ("registry upstream show", of::<weir_reach::ShownUpstream>),
    ("registry upstream remove", of::<weir_reach::Upstreams>),
    ("registry upstream follow", of::<weir_reach::Followed>),
    ("storage", of::<registry::StorageAnswer>),
    ("policy show", of::<weir_reach::ShownPolicy>),
    ("policy check", of::<weir_reach::CheckedPolicy>),
    ("policy set", of::<weir_reach::PolicyChange>),
    ("policy test", of::<weir_reach::TestedPolicy>),
    ("policy explain", of::<weir_reach::ExplainedPolicy>),
    ("policy simulate", of::<weir_reach::Simulated>),
    ("serve", of::<registry::ServeAnswer>),
    ("login", of::<server::LoggedIn>),
    ("logout", of::<server::LoggedOut>),
    ("whoami", of::<weir_wire::people::WhoAmI>),
    ("token create", of::<weir_wire::people::MadeToken>),
    ("token list", of::<server::Tokens>),
    ("token revoke", of::<server::RevokedToken>),
    ("trust add", of::<weir_wire::trust::Trust>),
    ("trust list", of::<server::TrustedPrograms>),
    ("trust remove", of::<server::UntrustedProgram>),
    ("webhook add", of::<weir_wire::webhooks::MadeWebhook>),
    ("webhook list", of::<server::Webhooks>),
    ("webhook show", of::<weir_wire::webhooks::Webhook>),
    ("webhook change", of::<weir_wire::webhooks::MadeWebhook>),
    ("webhook remove", of::<server::RemovedWebhook>),
    ("webhook test", of::<weir_wire::webhooks::Delivery>),
    ("webhook deliveries", of::<weir_wire::webhooks::Deliveries>),
    ("webhook redeliver", of::<weir_wire::webhooks::Delivery>),
    ("user list", of::<server::Users>),
    ("user invitations", of::<server::Invitations>),
    ("user remove", of::<server::RemovedUser>),
    ("user uninvite", of::<server::Uninvited>),
    ("user invite", of::<weir_wire::people::Invited>),
    ("user groups", of::<weir_wire::people::User>),
    ("user disable", of::<weir_wire::people::User>),
    ("user enable", of::<weir_wire::people::User>),
    ("activity", of::<weir_wire::activity::Activity>),
    ("store path", of::<store::StorePath>),
    ("store list", of::<store::StoreList>),
    ("store verify", of::<store::StoreVerified>),
    ("store repair", of::<store::StoreRepaired>),
    ("store optimise", of::<store::StoreOptimised>),
    ("store gc", of::<store::StoreCollected>),
    ("store export", of::<store::StoreExported>),
    ("store import", of::<store::StoreImported>),
    ("completions", of::<itself::Completions>),
    ("man", of::<itself::Manual>),
];

/// The whole: a document is one of those of `commands`, or `failure`.
fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let failure = of::<FailureDocument<'_>>(&mut generator);
    let commands: BTreeMap<&str, Schema> =
        DOCUMENTS.iter().map(|(command, described)| (*command, described(&mut generator))).collect();
    let any = commands.values().chain([&failure]).map(Schema::as_value);
    let mut distinct: Vec<&Value> = Vec::new();
    for schema in any {
        if !distinct.contains(&schema) {
            distinct.push(schema);
        }
    }
    let mut whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What weir prints with --json",
        "description": "One object: that of its command, named under `commands`, or, when the command failed, `failure`.",
        "anyOf": distinct,
        "commands": commands,
        "failure": failure,
        "$defs": generator.definitions(),
    });
    whole.sort_all_objects();
    whole
}

#[test]
fn the_published_schema_is_generated_from_the_types() {
    let generated = format!("{:#}\n", schema());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs_err::write(PATH, &generated).expect("the page can be written");
    }
    let published = fs_err::read_to_string(PATH).unwrap_or_default();
    assert!(published == generated, "run `UPDATE_DOCS=1 cargo test -p weir published_schema`");
}

#[test]
fn every_command_that_tells_something_has_a_document_which_is_an_object() {
    fn those_of(command: &clap::Command, before: &str, commands: &mut Vec<String>) {
        for below in command.get_subcommands() {
            let name = format!("{before}{}", below.get_name());
            match below.get_subcommands().next() {
                Some(_) => those_of(below, &format!("{name} "), commands),
                None => commands.push(name),
            }
        }
    }
    let mut commands = Vec::new();
    those_of(&Weir::command(), "", &mut commands);
    commands.retain(|command| !SILENT.contains(&command.as_str()));
    let mut described: Vec<&str> = DOCUMENTS.iter().map(|(command, _)| *command).collect();
    commands.sort();
    described.sort_unstable();
    assert_eq!(described, commands);
    let schema = schema();
    for (command, document) in schema["commands"].as_object().expect("it is a map") {
        let named = |one: &Value| {
            let name = one["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
            name.map(|name| schema["$defs"][name].clone())
        };
        let definition = named(document).expect("it is a definition");
        let alternatives =
            definition["anyOf"].as_array().cloned().unwrap_or_else(|| vec![definition.clone()]);
        let is_object = |one: &Value| named(one).as_ref().unwrap_or(one)["type"] == "object";
        assert!(alternatives.iter().all(is_object), "{command}: {definition:#}");
    }
}

#[test]
fn all_names_are_written_in_one_way_and_all_are_explained() {
    fn walk(at: &str, value: &Value) {
        let Some(object) = value.as_object() else { return };
        for (name, property) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            assert!(is_plain, "{at}: `{name}`");
            // What tells alternatives apart has no meaning of its own, and of one field the whole may tell it.
            let is_told = property.get("const").is_some() || object.contains_key("description");
            assert!(is_told || property.get("description").is_some(), "{at}: `{name}` is not explained");
        }
        for value in object.values() {
            match value {
                Value::Array(values) => values.iter().for_each(|value| walk(at, value)),
                value => walk(at, value),
            }
        }
    }
    for (name, definition) in schema()["$defs"].as_object().expect("it is a map") {
        assert!(definition.get("description").is_some(), "{name} is not explained");
        // Two types of one name would be told apart by a number.
        assert!(name == "Sha256" || !name.ends_with(|c: char| c.is_ascii_digit()), "rename {name}");
        walk(name, definition);
    }
}
