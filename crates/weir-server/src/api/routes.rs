//! The routes of the API, each with what it does, takes and gives.

use axum::routing::MethodFilter;
use serde_json::{Value, json};
use weir_model::descriptor::Descriptor;
use weir_model::{KindName, PackageName};
use weir_registry::{Batch, Collected};
use weir_wire::Receipt;
use weir_wire::activity::{Activity, ActivityQuery};
use weir_wire::api::{
    Capabilities, CollectRequest, IDEMPOTENCY_KEY, Preview, Renewed, UPLOAD_COMPLETE, UPLOAD_OFFSET,
    Uploaded, Verified,
};
use weir_wire::device::{DeviceAnswer, DeviceRequest, DeviceToken, DeviceTokenRequest};
use weir_wire::downloads::PackageDownloads;
use weir_wire::people::{
    Accept, ChangeUser, Invite, Invited, MadeToken, NewToken, PendingInvitation, SignIn, SignedIn, Token,
    User, WantedRegistry, WhoAmI,
};
use weir_wire::policy::{PolicyDocument, PolicyInForce};
use weir_wire::promotion::{KeptPromotion, PromotionCheck, PromotionRequest, PromotionRequests};
use weir_wire::storage::Storage;
use weir_wire::trust::{Exchange, Exchanged, NewTrust, Trust};
use weir_wire::upstream::{Answered, Ask, Look, Looked, UpstreamChange, UpstreamList};
use weir_wire::webhooks::{ChangeWebhook, Deliveries, Delivery, MadeWebhook, NewWebhook, Webhook};

use super::answers::MAX_KEY;
use super::operations::{Operation, Operations, form_of};
use super::{
    MAX_ASK, MAX_POLICY, MAX_REQUEST, activity, ask, batches, described, device, downloads, people, policy,
    promotions, registries, registry, tokens, trust, uploads, upstreams, webhooks,
};

const GET: MethodFilter = MethodFilter::GET;
const HEAD: MethodFilter = MethodFilter::HEAD;
const POST: MethodFilter = MethodFilter::POST;
const PUT: MethodFilter = MethodFilter::PUT;
const PATCH: MethodFilter = MethodFilter::PATCH;
const DELETE: MethodFilter = MethodFilter::DELETE;

/// Everything that can be asked.
pub(crate) fn operations() -> Operations {
    let operations = of_a_registry(Operations::default());
    let operations = of_objects(operations);
    of_webhooks(of_people(of_the_server(operations)))
}

fn of_a_registry(operations: Operations) -> Operations {
    let of = Operation::new;
    operations
        .with(
            of(GET, "/{registry}/api/v1", "capabilities", "Tells what the registry can do")
                .by_anybody()
                .gives::<Capabilities>(200),
            registry::capabilities,
        )
        .with(
            of(POST, "/{registry}/api/v1/batches", "submit", "Carries out a batch, all of it or nothing")
                .query(
                    "dry-run",
                    false,
                    "`true`: only tells what would become of it, if its content were there",
                    json!({ "enum": ["true", "false"] }),
                )
                .header(
                    IDEMPOTENCY_KEY,
                    false,
                    "Needed unless it is a dry run. The same batch with the same key is answered the same",
                    json!({ "type": "string", "pattern": "^[!-~]*$", "minLength": 1, "maxLength": MAX_KEY }),
                )
                .takes::<Batch>()
                .gives::<Told>(200),
            batches::submit,
        )
        .with(
            of(GET, "/{registry}/api/v1/policy", "policy", "Gives the files of the policy set")
                .gives::<PolicyDocument>(200),
            policy::read,
        )
        .with(
            of(POST, "/{registry}/api/v1/policy", "setPolicy", "Puts a policy set in force")
                .takes::<PolicyDocument>()
                .of_at_most(MAX_POLICY)
                .gives::<PolicyInForce>(200),
            policy::set,
        )
        .with(
            of(
                POST,
                "/{registry}/api/v1/ask",
                "ask",
                "Has it admit what a resolution would use of the registries above it",
            )
            .takes::<Ask>()
            .of_at_most(MAX_ASK)
            .gives::<Answered>(200),
            ask::ask,
        )
        .with(
            of(
                POST,
                "/{registry}/api/v1/look",
                "look",
                "Looks for a package in the registries above it, and admits nothing",
            )
            .takes::<Look>()
            .gives::<Looked>(200),
            ask::look,
        )
        .with(
            of(GET, "/{registry}/api/v1/upstreams", "upstreams", "Tells which registries are above it")
                .gives::<UpstreamList>(200),
            upstreams::list,
        )
        .with(
            of(
                POST,
                "/{registry}/api/v1/upstreams",
                "changeUpstreams",
                "Names a registry above it, or one no longer",
            )
            .takes::<UpstreamChange>()
            .gives::<UpstreamList>(200),
            upstreams::change,
        )
        .with(
            of(
                GET,
                "/{registry}/api/v1/checks/publish",
                "checkPublish",
                "Tells whether a package of a kind could be published at all",
            )
            .query("kind", true, "The kind", form_of::<KindName>())
            .gives_nothing(204),
            registry::check,
        )
        .with(
            of(
                POST,
                "/{registry}/api/v1/checks/promote",
                "checkPromote",
                "Tells whether releases may go up from here",
            )
            .takes::<PromotionCheck>()
            .gives_nothing(204),
            promotions::check,
        )
        .with(
            of(
                POST,
                "/{registry}/api/v1/promotions",
                "requestPromotion",
                "Has a batch of promotions wait until others have approved it",
            )
            .takes::<Batch>()
            .of_at_most(MAX_REQUEST)
            .gives::<KeptPromotion>(200)
            .gives::<KeptPromotion>(201),
            promotions::request,
        )
        .with(
            of(
                GET,
                "/{registry}/api/v1/promotions",
                "promotions",
                "Tells which promotions wait for approvals",
            )
            .gives::<PromotionRequests>(200),
            promotions::list,
        )
        .with(
            of(
                POST,
                "/{registry}/api/v1/promotions/{request}/approvals",
                "approvePromotion",
                "Approves a promotion, and carries it out if that is enough",
            )
            .gives::<KeptPromotion>(200),
            promotions::approve,
        )
        .with(
            of(
                POST,
                "/{registry}/api/v1/promotions/{request}/withdrawal",
                "withdrawPromotion",
                "Takes a promotion that waits back, or turns it down",
            )
            .gives::<PromotionRequest>(200),
            promotions::withdraw,
        )
        .with(
            of(GET, "/{registry}/api/v1/downloads", "downloads", "Tells how often a package was downloaded")
                .by_anybody()
                .query("package", true, "The package", form_of::<PackageName>())
                .query(
                    "days",
                    false,
                    "Of so many days, today the last of them; 30 where nothing is said",
                    json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX }),
                )
                .gives::<PackageDownloads>(200),
            downloads::of_package,
        )
        .with(
            of(GET, "/{registry}/api/v1/storage", "storage", "Tells who holds how much of the storage")
                .gives::<Storage>(200),
            registry::storage,
        )
        .with(
            of(POST, "/{registry}/api/v1/checkpoint", "renew", "Signs the log anew").gives::<Renewed>(200),
            registry::renew,
        )
        .with(
            of(POST, "/{registry}/api/v1/keys", "rotateKey", "Gives the registry a new key")
                .gives::<Descriptor>(200),
            registry::rotate_key,
        )
        .with(
            of(
                POST,
                "/{registry}/api/v1/collections",
                "collect",
                "Takes out of the storage what the registry need not hold",
            )
            .takes::<CollectRequest>()
            .gives::<Collected>(200),
            registry::collect,
        )
}

/// What a batch is answered with: a receipt, or what would become of it.
#[derive(schemars::JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is described, and never made")]
enum Told {
    Receipt(Receipt),
    Preview(Preview),
}

fn of_objects(operations: Operations) -> Operations {
    const PACK: &str = "/{registry}/api/v1/packs/{digest}";
    const FILE: &str = "/{registry}/api/v1/files/{digest}";
    const PACK_VERIFIED: &str = "/{registry}/api/v1/packs/{digest}/verification";
    const FILE_VERIFIED: &str = "/{registry}/api/v1/files/{digest}/verification";
    let asked = |path, id| {
        mending(Operation::new(HEAD, path, id, "Tells how much of an upload is there"))
            .by_anybody()
            .gives_nothing(204)
    };
    let put = |path, id| {
        mending(Operation::new(PUT, path, id, "Uploads all of it at once"))
            .takes_bytes()
            .gives::<Uploaded>(200)
    };
    let append = |path, id| {
        mending(Operation::new(PATCH, path, id, "Goes on with an upload"))
            .header(
                UPLOAD_OFFSET,
                true,
                "The byte at which it goes on",
                json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }),
            )
            .header(UPLOAD_COMPLETE, true, "`?1` if this is the end of it", json!({ "enum": ["?0", "?1"] }))
            .takes_bytes()
            .gives::<Uploaded>(200)
            .gives_nothing(204)
    };
    let verify = |path, id| {
        Operation::new(POST, path, id, "Has what is held read and compared with its name")
            .gives::<Verified>(200)
    };
    operations
        .with(asked(PACK, "packState"), uploads::state)
        .with(put(PACK, "putPack"), uploads::put)
        .with(append(PACK, "appendPack"), uploads::append)
        .with(verify(PACK_VERIFIED, "verifyPack"), uploads::verify)
        .with(asked(FILE, "fileState"), uploads::state)
        .with(put(FILE, "putFile"), uploads::put)
        .with(append(FILE, "appendFile"), uploads::append)
        .with(verify(FILE_VERIFIED, "verifyFile"), uploads::verify)
}

fn mending(operation: Operation) -> Operation {
    operation.query("mend", false, "Empty: in place of what is held and damaged", json!({ "const": "" }))
}

fn of_the_server(operations: Operations) -> Operations {
    let of = Operation::new;
    operations
        .with(
            of(GET, "/api/v1/openapi.json", "openapi", "Gives this document")
                .by_anybody()
                .gives::<Value>(200),
            described,
        )
        .with(
            of(POST, "/api/v1/registries", "createRegistry", "Makes a registry")
                .takes::<WantedRegistry>()
                .gives::<Descriptor>(201),
            registries::create,
        )
        .with(
            of(POST, "/api/v1/activity", "activity", "Tells what happened, the newest first")
                .takes::<ActivityQuery>()
                .gives::<Activity>(200),
            activity::query,
        )
}

fn of_people(operations: Operations) -> Operations {
    let of = Operation::new;
    operations
        .with(
            of(POST, "/api/v1/sign-in", "signIn", "Gives a token for a name and a password")
                .by_anybody()
                .takes::<SignIn>()
                .gives::<SignedIn>(200),
            people::sign_in,
        )
        .with(
            of(POST, "/api/v1/invitations/accept", "accept", "Makes a user of who was invited")
                .by_anybody()
                .takes::<Accept>()
                .gives::<SignedIn>(201),
            people::accept,
        )
        .with(
            of(
                POST,
                "/api/v1/device",
                "beginDevice",
                "Has a terminal wait until somebody says that it is theirs (RFC 8628)",
            )
            .by_anybody()
            .takes_fields::<DeviceRequest>()
            .gives::<DeviceAnswer>(200),
            device::begin,
        )
        .with(
            of(
                POST,
                "/api/v1/device/token",
                "deviceToken",
                "Gives a terminal its token, once somebody has said so",
            )
            .by_anybody()
            .takes_fields::<DeviceTokenRequest>()
            .gives::<DeviceToken>(200),
            device::token,
        )
        .with(
            of(GET, "/api/v1/whoami", "whoami", "Tells who asks, and by which token").gives::<WhoAmI>(200),
            people::whoami,
        )
        .with(of(GET, "/api/v1/users", "users", "Tells who there is").gives::<Vec<User>>(200), people::users)
        .with(
            of(POST, "/api/v1/users", "invite", "Invites somebody").takes::<Invite>().gives::<Invited>(201),
            people::invite,
        )
        .with(
            of(GET, "/api/v1/invitations", "invitations", "Tells who was invited and is no user yet")
                .gives::<Vec<PendingInvitation>>(200),
            people::invitations,
        )
        .with(
            of(DELETE, "/api/v1/invitations/{which}", "uninvite", "Takes an invitation back")
                .gives_nothing(204),
            people::uninvite,
        )
        .with(
            of(POST, "/api/v1/users/{name}", "changeUser", "Changes what a user may")
                .takes::<ChangeUser>()
                .gives::<User>(200),
            people::change,
        )
        .with(
            of(DELETE, "/api/v1/users/{name}", "removeUser", "Removes a user, whose name stays theirs")
                .gives_nothing(204),
            people::remove,
        )
        .with(
            of(GET, "/api/v1/tokens", "tokens", "Tells which tokens speak for who asks")
                .gives::<Vec<Token>>(200),
            tokens::list,
        )
        .with(
            of(POST, "/api/v1/tokens", "createToken", "Makes a token that speaks for who asks")
                .takes::<NewToken>()
                .gives::<MadeToken>(201),
            tokens::create,
        )
        .with(
            of(
                POST,
                "/api/v1/token-exchange",
                "exchangeToken",
                "Gives a program a short token for its identity token (RFC 8693)",
            )
            .by_anybody()
            .takes_fields::<Exchange>()
            .gives::<Exchanged>(200),
            trust::exchange,
        )
        .with(
            of(GET, "/api/v1/trust", "trusted", "Tells which programs are trusted").gives::<Vec<Trust>>(200),
            trust::list,
        )
        .with(
            of(POST, "/api/v1/trust", "addTrust", "Has a program be trusted by what its provider says of it")
                .takes::<NewTrust>()
                .gives::<Trust>(201),
            trust::add,
        )
        .with(
            of(DELETE, "/api/v1/trust/{id}", "removeTrust", "Has a program be trusted no longer by a rule")
                .gives_nothing(204),
            trust::remove,
        )
        .with(
            of(DELETE, "/api/v1/tokens/{which}", "revokeToken", "Has a token speak for nobody any longer")
                .gives_nothing(204),
            tokens::revoke,
        )
}

fn of_webhooks(operations: Operations) -> Operations {
    let of = Operation::new;
    operations
        .with(
            of(GET, "/api/v1/webhooks", "webhooks", "Tells who is told what happens")
                .gives::<Vec<Webhook>>(200),
            webhooks::list,
        )
        .with(
            of(POST, "/api/v1/webhooks", "createWebhook", "Has somebody be told what happens")
                .takes::<NewWebhook>()
                .gives::<MadeWebhook>(201),
            webhooks::create,
        )
        .with(
            of(GET, "/api/v1/webhooks/{webhook}", "webhook", "Tells of one webhook").gives::<Webhook>(200),
            webhooks::show,
        )
        .with(
            of(
                POST,
                "/api/v1/webhooks/{webhook}",
                "changeWebhook",
                "Changes one, or gives it another secret",
            )
            .takes::<ChangeWebhook>()
            .gives::<MadeWebhook>(200),
            webhooks::change,
        )
        .with(
            of(
                DELETE,
                "/api/v1/webhooks/{webhook}",
                "removeWebhook",
                "Has somebody be told no longer what happens",
            )
            .gives_nothing(204),
            webhooks::remove,
        )
        .with(
            of(
                POST,
                "/api/v1/webhooks/{webhook}/pings",
                "pingWebhook",
                "Sends something now, to see whether it arrives",
            )
            .gives::<Delivery>(200),
            webhooks::ping,
        )
        .with(
            of(
                GET,
                "/api/v1/webhooks/{webhook}/deliveries",
                "deliveries",
                "Tells what a webhook was told, the newest first, and what came of it",
            )
            .query(
                "most",
                false,
                "At most so much; 50 where nothing is said",
                json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
            )
            .gives::<Deliveries>(200),
            webhooks::deliveries,
        )
        .with(
            of(
                POST,
                "/api/v1/webhooks/{webhook}/deliveries/{delivery}",
                "redeliver",
                "Sends something once more, now",
            )
            .gives::<Delivery>(200),
            webhooks::redeliver,
        )
}
