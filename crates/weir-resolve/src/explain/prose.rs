//! Explanations as text: short numbered sentences, what they come to, and what could be done.

use std::fmt::{self, Display};

use weir_model::{KindName, PackageName, Range, Version};

use super::{Clash, Conclusion, Explanation, Listed, Reason, Releases, Shortage, Step, Suggestion, Verdict};
use crate::request::Origin;

/// How many steps are written out, and those that decide; the whole explanation is in its fields.
const MAX_LINES: usize = 40;

/// As a text; the alternate form (`{:#}`) leaves out what would help.
impl Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.steps.as_slice() {
            write!(f, "{only}")?;
            return self.write_suggestions(f);
        }
        writeln!(f, "the requirements cannot be met:")?;
        let mut left_out = 0;
        for (index, step) in self.steps.iter().enumerate() {
            if !self.is_told(index) {
                left_out += 1;
                continue;
            }
            write_left_out(f, std::mem::take(&mut left_out))?;
            writeln!(f, "  {}. {}.", index + 1, capitalised(&step.to_string()))?;
        }
        write_left_out(f, left_out)?;
        self.write_verdict(f)?;
        if !self.tried.is_empty() {
            write!(f, " No other release in range of {} helps.", Alternatives(&self.tried))?;
        }
        self.write_suggestions(f)
    }
}

/// A long way is shortened in its middle.
fn write_left_out(f: &mut fmt::Formatter<'_>, steps: usize) -> fmt::Result {
    match steps {
        0 => Ok(()),
        1 => writeln!(f, "  … one more step …"),
        steps => writeln!(f, "  … {steps} more steps …"),
    }
}

impl Explanation {
    /// Whether a step is written out: all of them if they are few, else those at both ends and those that decide.
    fn is_told(&self, index: usize) -> bool {
        let at_an_end = index < MAX_LINES / 2 || index + MAX_LINES / 2 >= self.steps.len();
        at_an_end || self.decisive().iter().take(MAX_LINES).any(|step| *step == index + 1)
    }

    /// What would help, a sentence each.
    pub fn help(&self) -> Vec<String> {
        self.suggestions.iter().map(|suggestion| Hint { explanation: self, suggestion }.to_string()).collect()
    }

    /// The numbers of the steps that the verdict speaks of.
    pub fn decisive(&self) -> Vec<usize> {
        match &self.verdict {
            Verdict::Unmet { step } => vec![*step],
            Verdict::Clash { clashes } => clashes.iter().flat_map(|clash| &clash.steps).copied().collect(),
            Verdict::Exhausted { steps, .. } => steps.clone(),
        }
    }

    fn write_suggestions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return Ok(());
        }
        self.help().iter().try_for_each(|help| write!(f, "\nhelp: {help}"))
    }

    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Unmet { step } => write!(f, "So {step} cannot be met."),
            Verdict::Clash { clashes } => {
                write!(f, "So ")?;
                write_joined(f, clashes, ", and ", Clash::fmt)?;
                write!(f, ".")
            }
            Verdict::Exhausted { name: Some(name), steps } => {
                write!(f, "So, from {}, no release of `{name}` is left to choose.", Numbers(steps))
            }
            Verdict::Exhausted { name: None, steps } => {
                write!(f, "So {} contradict each other.", Numbers(steps))
            }
        }
    }
}

/// A suggestion, with the steps that it speaks of.
struct Hint<'a> {
    explanation: &'a Explanation,
    suggestion: &'a Suggestion,
}

impl Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.suggestion {
            Suggestion::SimilarName { name, similar } => {
                write!(f, "there is no `{name}`; did you mean {}?", Alternatives(similar))
            }
            Suggestion::Newer { name, version, step } => {
                write!(f, "`{name}` {version} exists, but ")?;
                match self.explanation.steps.get(step.wrapping_sub(1)) {
                    Some(Step::Because(reason)) => reason.write_demand(f),
                    _ => write!(f, "{step} excludes it"),
                }
            }
            Suggestion::Prerelease { name, version } => {
                write!(f, "to accept the pre-release `{name}` {version}, name it: `^{version}`")
            }
            Suggestion::Override { name } => {
                write!(f, "if one release of `{name}` serves them all, name it under `[override]`")
            }
        }
    }
}

fn capitalised(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

impl Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Because(reason) => reason.fmt(f),
            Self::So { from, conclusion } => write!(f, "So, from {}, {conclusion}", Numbers(from)),
        }
    }
}

impl Reason {
    /// The package it is about.
    pub fn package(&self) -> &PackageName {
        match self {
            Self::Required { name, .. } | Self::Needs { name, .. } | Self::Bound { name, .. } => name,
            Self::BuiltWith { by, .. } => &by.name,
        }
    }

    /// Where a manifest says so, if one does.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Required { origin, .. } | Self::Bound { origin, .. } => Some(origin),
            Self::Needs { .. } | Self::BuiltWith { .. } => None,
        }
    }

    /// The demand alone, without why it cannot be met.
    fn write_demand(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required { origin, name, range, overridden, .. } => {
                write!(f, "`{}` requires `{name}` {range}", origin.label)?;
                write_override(f, overridden.as_ref())
            }
            Self::Needs { by, name, ranges, overridden, .. } => {
                write!(f, "{by} {} `{name}` {}", by.verb("needs", "need"), Ranges(ranges))?;
                write_override(f, overridden.as_ref())
            }
            Self::BuiltWith { by, kind, with, .. } => {
                let how = if *kind == KindName::Native { "built" } else { "published" };
                write!(f, "{by} {} {how} with ", by.verb("was", "were"))?;
                for (index, id) in with.iter().enumerate() {
                    let separator = if index == 0 { "" } else { " or " };
                    write!(f, "{separator}`{}` {}", id.name, id.version)?;
                    if id.revision > 0 {
                        write!(f, " revision {}", id.revision)?;
                    }
                }
                Ok(())
            }
            Self::Bound { origin, name, asked, bound, first } => {
                write!(f, "`{}` requires `{name}` from the registry `{asked}`, but ", origin.label)?;
                match first {
                    Some(first) => write!(f, "`{}` requires it from `{bound}`", first.label)?,
                    None => write!(f, "the name is bound to `{bound}`")?,
                }
                write!(f, ", and a name belongs to one registry")
            }
        }
    }

    pub(super) fn shortage(&self) -> Option<&Shortage> {
        match self {
            Self::Required { shortage, .. }
            | Self::Needs { shortage, .. }
            | Self::BuiltWith { shortage, .. } => shortage.as_ref(),
            Self::Bound { .. } => None,
        }
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_demand(f)?;
        match self.shortage() {
            None => Ok(()),
            Some(shortage) => {
                let baked = matches!(self, Self::BuiltWith { .. });
                write!(f, ", but ")?;
                shortage.write(f, baked)
            }
        }
    }
}

fn write_override(f: &mut fmt::Formatter<'_>, overridden: Option<&Origin>) -> fmt::Result {
    match overridden {
        Some(origin) => write!(f, " (overridden in `{}`)", origin.label),
        None => Ok(()),
    }
}

impl Shortage {
    fn write(&self, f: &mut fmt::Formatter<'_>, baked: bool) -> fmt::Result {
        match self {
            Self::NoPackage { registry: Some(registry), elsewhere } => {
                write!(f, "`{registry}` has no such package")?;
                if elsewhere.is_empty() {
                    return Ok(());
                }
                write!(f, "; ")?;
                write_joined(f, elsewhere, " and ", |other, f| write!(f, "`{other}`"))?;
                write!(f, " {}", if elsewhere.len() == 1 { "has one" } else { "have one" })
            }
            Self::NoPackage { registry: None, .. } => write!(f, "there is no such package"),
            Self::OnlyFurtherUp { newest } => {
                write!(f, "nothing in that range is offered: further up the newest is {newest}")
            }
            Self::EmptyRange => write!(f, "no version can be in that range"),
            Self::Replaced { version, label } => write!(f, "`{label}` stands in for it with {version}"),
            Self::NoRelease {
                offered,
                yanked,
                prereleases,
                other_platforms,
                quarantined,
                held,
                platform,
            } => {
                let mut clauses = Vec::new();
                if yanked.count() > 0 {
                    clauses.push(format!("{yanked} {} yanked", yanked.verb("was", "were")));
                }
                if quarantined.count() > 0 {
                    clauses.push(quarantine(quarantined));
                }
                clauses.extend(held.iter().map(ToString::to_string));
                if other_platforms.count() > 0 {
                    let list: Vec<String> = other_platforms
                        .newest
                        .iter()
                        .map(|(version, other)| format!("{version} is for `{other}`"))
                        .collect();
                    clauses.push(format!("{}, not for `{platform}`", list.join(", ")));
                }
                if prereleases.count() > 0 {
                    let what = prereleases.verb("is a pre-release", "are pre-releases");
                    clauses.push(format!("{prereleases} {what}, which a range must name"));
                }
                if clauses.is_empty() {
                    return match offered.count() {
                        0 => write!(f, "no release of it can be used"),
                        _ if baked => write!(f, "that is no longer offered"),
                        _ => write!(f, "it is offered only in {offered}"),
                    };
                }
                write!(f, "{}", clauses.join("; "))
            }
        }
    }
}

fn quarantine(quarantined: &Listed<(Version, String)>) -> String {
    let list: Vec<String> = quarantined
        .newest
        .iter()
        .map(|(version, why)| match why.as_str() {
            "" => format!("{version} is quarantined"),
            why => format!("{version} is quarantined ({why})"),
        })
        .collect();
    list.join(", ")
}

impl Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, steps) = (&self.name, Numbers(&self.steps));
        if self.built {
            write!(f, "{steps} cannot be used together: only one `{name}` can be present")
        } else {
            write!(f, "no release of `{name}` meets {steps}")
        }
    }
}

impl Display for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Excluded { releases } => match releases.as_slice() {
                [] => write!(f, "nothing can be chosen"),
                [one] => write!(f, "{one} cannot be used"),
                many => write!(f, "{} cannot be used together", And(many)),
            },
            Self::OnlyWith { releases, choices } => {
                let choices = Or(choices);
                match releases.as_slice() {
                    [] => write!(f, "{choices} must be used"),
                    [one] => write!(f, "{one} can be used only with {choices}"),
                    many => write!(f, "{} can be used together only with {choices}", And(many)),
                }
            }
        }
    }
}

impl Releases {
    fn verb(&self, one: &'static str, many: &'static str) -> &'static str {
        if self.every { one } else { self.versions.verb(one, many) }
    }
}

impl Display for Releases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.every {
            write!(f, "every release of `{}`", self.name)
        } else {
            write!(f, "`{}` {}", self.name, self.versions)
        }
    }
}

impl<T> Listed<T> {
    fn verb(&self, one: &'static str, many: &'static str) -> &'static str {
        if self.count() == 1 { one } else { many }
    }
}

impl<T: Display> Display for Listed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.more == 0 {
            return And(&self.newest).fmt(f);
        }
        for item in self.newest.iter().rev() {
            write!(f, "{item}, ")?;
        }
        write!(f, "and {} older", self.more)
    }
}

/// `1, 2 and 3`
struct And<'a, T>(&'a [T]);

impl<T: Display> Display for And<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_joined(f, self.0, " and ", T::fmt)
    }
}

struct Or<'a, T>(&'a [T]);

impl<T: Display> Display for Or<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_joined(f, self.0, " or ", T::fmt)
    }
}

struct Numbers<'a>(&'a [usize]);

impl Display for Numbers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        And(self.0).fmt(f)
    }
}

struct Ranges<'a>(&'a [Range]);

impl Display for Ranges<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_joined(f, self.0, " or ", Range::fmt)
    }
}

struct Alternatives<'a>(&'a [PackageName]);

impl Display for Alternatives<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_joined(f, self.0, " or ", |name, f| write!(f, "`{name}`"))
    }
}

fn write_joined<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    last_separator: &str,
    write_one: impl Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        match index {
            0 => {}
            last if last + 1 == items.len() => f.write_str(last_separator)?,
            _ => f.write_str(", ")?,
        }
        write_one(item, f)?;
    }
    Ok(())
}
