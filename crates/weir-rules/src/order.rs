//! The order in which each comes after what it needs.

/// Puts `0..count` in order: as they stand, but each after what it needs.
///
/// # Errors
///
/// A cycle, if there is one: each needs the next, and the first is also the last.
pub fn needed_first<Needs: IntoIterator<Item = usize>>(
    count: usize,
    needs: impl Fn(usize) -> Needs,
) -> Result<Vec<usize>, Vec<usize>> {
    let mut order = Vec::with_capacity(count);
    let mut states = vec![State::Unseen; count];
    for start in 0..count {
        if states[start] != State::Unseen {
            continue;
        }
        // A path, each with those of its needs that were not visited yet: chains may be longer than a stack is deep.
        states[start] = State::OnPath;
        let mut path = vec![(start, needs(start).into_iter())];
        while let Some((at, pending)) = path.last_mut() {
            match pending.next() {
                None => {
                    states[*at] = State::Done;
                    order.push(*at);
                    path.pop();
                }
                Some(next) => match states[next] {
                    State::Done => {}
                    State::Unseen => {
                        states[next] = State::OnPath;
                        path.push((next, needs(next).into_iter()));
                    }
                    State::OnPath => {
                        let on_path = path.iter().map(|(on_path, _)| *on_path);
                        return Err(on_path.skip_while(|at| *at != next).chain([next]).collect());
                    }
                },
            }
        }
    }
    Ok(order)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unseen,
    OnPath,
    Done,
}

#[cfg(test)]
mod tests {
    use super::needed_first;

    #[test]
    fn each_comes_after_what_it_needs_and_otherwise_in_the_order_given() {
        let needs = |one: usize| if one == 0 { vec![2] } else { vec![] };
        assert_eq!(needed_first(4, needs), Ok(vec![2, 0, 1, 3]));
    }

    #[test]
    fn a_cycle_is_shown_from_its_first_member_back_to_it_without_what_leads_into_it() {
        let around = |one: usize| vec![(one + 1) % 3];
        assert_eq!(needed_first(3, around), Err(vec![0, 1, 2, 0]));
        let into = |one: usize| vec![if one == 3 { 1 } else { one + 1 }];
        assert_eq!(needed_first(4, into), Err(vec![1, 2, 3, 1]));
    }

    #[test]
    fn a_chain_may_be_longer_than_a_stack_is_deep() {
        let needs = |one: usize| (one > 0).then(|| one - 1);
        assert_eq!(needed_first(1_000_000, needs).map(|order| order.len()), Ok(1_000_000));
        let backwards = |one: usize| (one < 999_999).then_some(one + 1);
        assert_eq!(needed_first(1_000_000, backwards).map(|order| order[0]), Ok(999_999));
    }
}
