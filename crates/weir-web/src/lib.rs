//! The pages of a registry: answers of the libraries, as HTML.
//!
//! Whoever serves pages asks the libraries (the view, the accounts, the policy set), and hands what they answer to a function of this
//! crate, which gives a [`Page`]. Nothing here asks anything, decides anything, or knows of HTTP: who may see what was
//! decided before.
//!
//! What is shown was written by strangers. Three things keep it harmless, each in one place:
//!
//! * templates escape whatever is put into them; only a [`readme`](Readme) is HTML already, rendered by one library and
//!   cleaned by another;
//! * [`Page`] can only be made by a door that replaces every character that nobody sees or that turns the direction of others;
//! * what is long is cut where it is read.
//!
//! Every address is made in [`address`], so that no template joins paths.

pub mod address;
mod assets;
mod chart;
mod differ;
mod done;
mod frame;
mod graph;
mod highlight;
mod pages;
mod readme;
mod said;
pub mod seen;
pub mod tags;
mod use_it;

pub use assets::{Asset, SITE_ASSETS, asset};
pub use done::Done;
pub use frame::{Frame, Page, PageError};
pub use pages::account::{AccountPage, Linked, SignInPage, SignInProvider};
pub use pages::activity::ActivityPage;
pub use pages::device::{AskingTerminal, DevicePage, DeviceSaid};
pub use pages::difference::{DifferencePage, FileChange, FileChanged, FileChanges};
pub use pages::entry::EntryPage;
pub use pages::failure::FailurePage;
pub use pages::file::{FilePage, Shown, WhichFile};
pub use pages::graph::{Drawn, GraphPage, MOST_DRAWN};
pub use pages::home::{HomePage, HomeRegistry};
pub use pages::impact::ImpactPage;
pub use pages::leaving::LeavingPage;
pub use pages::modules::ModulesPage;
pub use pages::package::{DEPENDENTS, PackagePage};
pub use pages::people::PeoplePage;
pub use pages::policy::{Answer, Asked, Changing, Differs, PolicyPage, Simulation, SimulationFailed};
pub use pages::queue::{BelowIt, MOST_QUEUED, QueuePage, WaitingPromotion};
pub use pages::registry::{AboveRegistry, Contact, NO_POLICY, RegistryPage};
pub use pages::release::ReleasePage;
pub use pages::search::{Found, FoundState, Looked, MOST_HELD, PAGE, SearchPage};
pub use pages::statistics::{
    Grown, MOST_DOWNLOADED, Period, RegistryUse, ServerStatisticsPage, StatisticsPage,
};
pub use pages::trust::TrustPage;
pub use pages::webhooks::{WebhookPage, WebhooksPage};
pub use readme::{MAX_README, Readme, beginning, picture_type};
pub use said::UNTIMED;
