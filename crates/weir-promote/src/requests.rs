//! Promotions that wait for approvals, on the server of the registry that they go into.

use weir_reach::{ManifestRegistries, Session, open_served};
use weir_wire::promotion::{KeptPromotion, PromotionRequest, PromotionRequests};

use crate::below::refuse_withdrawn;
use crate::error::PromoteError;
use crate::target::waiting;

/// Those that the caller may see: what they asked for, and what they may approve. Of the registry `into`, or the one in use.
///
/// # Errors
///
/// When it cannot be asked, or is no server.
pub fn requests(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    into: Option<&str>,
) -> Result<Vec<PromotionRequest>, PromoteError> {
    let known = waiting(session, project, into)?;
    let PromotionRequests { requests } = open_served(session, &known)?.promotions()?;
    Ok(requests)
}

/// Approves one. Where that was the last approval that was wanted, it is carried out.
///
/// # Errors
///
/// When the caller may not, there is none, or the registry below has withdrawn what it is about.
pub fn approve(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    into: Option<&str>,
    request: &str,
) -> Result<KeptPromotion, PromoteError> {
    let server = open_served(session, &waiting(session, project, into)?)?;
    let PromotionRequests { requests } = server.promotions()?;
    if let Some(waits) = requests.iter().find(|waits| waits.id == request) {
        refuse_withdrawn(session, project, waits)?;
    }
    Ok(server.approve_promotion(request)?)
}

/// Takes one back, or turns it down.
///
/// # Errors
///
/// When the caller may not, or there is none.
pub fn withdraw(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    into: Option<&str>,
    request: &str,
) -> Result<PromotionRequest, PromoteError> {
    let known = waiting(session, project, into)?;
    Ok(open_served(session, &known)?.withdraw_promotion(request)?)
}
