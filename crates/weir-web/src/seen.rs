//! What a page showed of something that its form changes: the form brings it along, and where it is another by then, nothing is done.
//! Two who look at the same page would else undo what the other did, and not know it.

use jiff::Timestamp;
use weir_index::{HeldRelease, ReleaseView};
use weir_model::Sha256;
use weir_wire::AccountName;
use weir_wire::people::User;
use weir_wire::promotion::PromotionRequest;
use weir_wire::webhooks::Webhook;

/// How a release stands, and by which entry of the log.
pub fn release(view: &ReleaseView) -> String {
    match view.withdrawn() {
        Some(withdrawn) => format!("{}-{}", view.standing().as_str(), withdrawn.mark.index),
        None => view.standing().as_str().to_owned(),
    }
}

/// By which rule a release is held, why, and until when.
pub fn hold(HeldRelease { hold, .. }: &HeldRelease) -> String {
    digest(&[&hold.registry, &hold.policy, &hold.reason, &moment(hold.until)])
}

/// Who has approved a promotion.
pub fn promotion(request: &PromotionRequest) -> String {
    let by: Vec<&str> = request.approvals.iter().map(|approval| approval.by.as_str()).collect();
    digest(&by)
}

/// Which groups a user is in, and whether they may sign in.
pub fn user(user: &User) -> String {
    let disabled = if user.disabled { "disabled" } else { "enabled" };
    let given = user.groups.difference(&user.claimed).map(AccountName::as_str);
    digest(&[disabled].into_iter().chain(given).collect::<Vec<&str>>())
}

/// Which webhook it is, which secret it has, and whether it is paused.
pub fn webhook(webhook: &Webhook) -> String {
    let paused = if webhook.paused.is_some() { "paused" } else { "" };
    digest(&[&moment(Some(webhook.created)), &webhook.secret_digest, paused])
}

fn moment(at: Option<Timestamp>) -> String {
    at.map(|at| at.to_string()).unwrap_or_default()
}

/// Short, and made of nothing that a page would have to hide.
fn digest(parts: &[&str]) -> String {
    Sha256::of(parts.join("\n")).to_hex()[..16].to_owned()
}
