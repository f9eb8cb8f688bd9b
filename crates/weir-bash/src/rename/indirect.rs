//! Values that are taken for names: two versions of a library in one shell do what each does alone, or the place is told, whatever
//! a name is made of. This is the table of all that was once missed.

use std::process::Command;

use super::{Output, SourceFile, Subject, Why, rename, version_mark};

/// Libraries with the slug `x` in which a name is made when the code runs: each is told as [`Why::BuiltName`].
const MADE: &[&str] = &[
    // Variables, from parts.
    r#"c_red=1; x.main() { local n=red; local ref="c_$n"; echo "${!ref}"; }"#,
    r#"c_red=1; x.main() { local n=red; local -n ref="c_$n"; echo "$ref"; }"#,
    r#"c_red=1; x.main() { local n=red; eval "echo \$c_$n"; }"#,
    r#"c_red=1; x.main() { local n=red; printf -v "c_$n" %s 9; echo "$c_red"; }"#,
    r#"c_red=1; x.main() { local n=red; read -r "c_$n" <<<9; echo "$c_red"; }"#,
    r#"c_red=1; x.main() { local n=red; declare -g "c_$n=9"; echo "$c_red"; }"#,
    r#"c_red=1; x.main() { local n=red; unset "c_$n"; echo "${c_red-gone}"; }"#,
    r#"c_red=1; x.main() { local n=red v; v="c_$n"; [[ -v $v ]] && echo there; }"#,
    r#"c_red=1; x.main() { local n=red v; v="c_$n"; [[ -v "$v" ]] && test -v "$v" && echo there; }"#,
    r#"c_red=1; x.main() { local n=red; let "c_$n=7"; echo "$c_red"; }"#,
    r#"c_red=1; x.main() { local n=red v; v="c_$n"; (($v = 7)); echo "$c_red"; }"#,
    r#"c_red=1; x.main() { local n=red v; v="c_$n"; (($v++)); echo "$c_red"; }"#,
    r#"c_red=(1 2); x.main() { local n=red v; v="c_$n[@]"; echo "${!v}"; }"#,
    r#"red_c=1; x.main() { local n=red; local ref="${n}_c"; echo "${!ref}"; }"#,
    r#"red_c=1; x.main() { x.get red; }; x.get() { local ref="${1}_c"; echo "${!ref}"; }"#,
    r#"red_c=1; x.main() { x.get "${1-red}_c"; }; x.get() { echo "${!1}"; }"#,
    r#"red_c=1; x.main() { x.get a "${1-red}_c"; }; x.get() { shift; echo "${!1}"; }"#,
    r#"red_c=1; x.main() { x.all "${1-red}_c"; }; x.all() { local v; for v in "$@"; do echo "${!v}"; done; }"#,
    r#"red_c=1; x.main() { x.on "${1-red}_c"; }; x.on() { x.get "$@"; }; x.get() { local -n r=$1; echo "$r"; }"#,
    r#"fg_red=1; x.main() { local n=red; local ref="fg$n"; ref="${ref/fg/fg_}"; echo "${!ref}"; }"#,
    r#"LEVEL=1; x.main() { local v=LEV; v+=EL; echo "${!v}"; }"#,
    r#"LEVEL=1; x.main() { local v=level; v=${v^^}; echo "${!v}"; }"#,
    r#"LEVEL=1; x.main() { local v=level; local -n r=${v^^}; echo "$r"; }"#,
    r#"LEVEL=1; x.main() { local v=$(tr a-z A-Z <<<level); echo "${!v}"; }"#,
    r#"LEVEL=1; x.main() { local v; v=$(x.up level); echo "${!v}"; }; x.up() { echo "${1^^}"; }"#,
    r#"LEVEL=1; x.main() { local v; v=$(x.up level); echo "${!v}"; }; x.up() { tr a-z A-Z <<<"$1"; }"#,
    r#"LEVEL=1; x.main() { local v; read -r v < <(printf '%s%s\n' LEV EL); echo "${!v}"; }"#,
    r#"LEVEL=1; x.main() { local v; printf -v v '%s%s' LEV EL; echo "${!v}"; }"#,
    r#"LEVEL=1; x.main() { local -a v=(LEV EL); local IFS; IFS=''; v="${v[*]}"; echo "${!v}"; }"#,
    r#"LEVEL=1; x.main() { local -A k=([LEVEL]=a); local v; for v in "${!k[@]}"; do echo "${!v}"; done; }"#,
    r#"opt_a=1; x.main() { local k=opt-a; k=${k//-/_}; echo "${!k}"; }"#,
    r#"opt_a=1; x.main() { local k; k=$(echo "opt-a" | tr - _); printf '%s\n' "${!k}"; }"#,
    r#"opt_a=1; x.main() { local k; for k in opt_{a,b}; do echo "${!k-}"; done; }"#,
    r#"c_red=1; x.main() { local n=red; [[ c_$n -eq 1 ]] && echo yes; }"#,
    r#"c_red=1; x.main() { local n=red; readonly c_$n=3; echo $c_red; }"#,
    r#"c_red=1; x.main() { local n=red; declare -g c_$n=k; echo $c_red; }"#,
    r#"c_red=1; x.main() { local n=red; source /dev/stdin <<<"echo \$c_$n"; }"#,
    r#"c_red=1; x.main() { local -A m; m[k]=c_; m[k]+=red; echo "${!m[k]}"; }"#,
    r#"c_red=1; x.main() { local out; x.v out c red; echo "${!out}"; }; x.v() { printf -v "$1" %s_%s "$2" "$3"; }"#,
    r#"c_red=1; x.main() { local out; x.v out c red; echo "${!out}"; }; x.v() { local -n o=$1; o=$2_$3; }"#,
    r#"c_red=1; x.main() { local v=C_RED; declare -l w=$v; echo "${!w}"; }"#,
    r#"c_red=1; x.main() { local v; declare -l w; w=C_RED; echo "${!w}"; }"#,
    r#"c_red=1; x.main() { local v=$'c\x5fred'; echo "${!v}"; }"#,
    r#"c_red=1; x.main() { local v=red; local -n r; r=c_$v; echo "$r"; }"#,
    r#"c_red=1; x.main() { local v=red; local -n r; for r in c_$v; do echo $r; done; }"#,
    // Functions, from parts.
    r#"cmd_list() { echo ok; }; x.main() { local c; printf -v c 'cmd_%s' list; $c; }"#,
    r#"cmd_list() { echo ok; }; x.main() { local c; printf -v c '%s_%s' cmd list; $c; }"#,
    r#"x.list() { echo ok; }; x.main() { local c; printf -v c '%s.list' x; "$c"; }"#,
    r#"cmd_list() { echo ok; }; x.main() { local c=cmd; c+=_list; $c; }"#,
    r#"cmd_list() { echo ok; }; x.main() { local c=cmd; c+=_list; declare -F "$c" >/dev/null && $c; }"#,
    r#"x.list() { echo ok; }; x.main() { local f=x. n=list; f+=$n; $f; }"#,
    r#"cmd_list() { echo ok; }; x.main() { local c=cmd-list; c=${c//-/_}; $c; }"#,
    r#"cmd_list() { echo ok; }; x.main() { local c=cmd-list; "${c//-/_}"; }"#,
    r#"cmd_list() { echo ok; }; x.main() { local f=CMD_LIST; ${f,,}; }"#,
    r#"cmd_list() { echo ok; }; x.main() { local f=cmd; f=${f}_list; $f; }"#,
    r#"x_inc() { echo ok; }; x.main() { set -- x inc; "$1_$2"; }"#,
    r#"x_inc() { echo ok; }; x.main() { local a=(x inc) IFS; IFS=_; "${a[*]}"; }"#,
    r#"cmd_list() { echo ok; }; x.main() { $(tr A-Z a-z <<<CMD_LIST); }"#,
    r#"cmd_list() { echo ok; }; x.main() { local c=list; command -v "cmd${c:+_}$c" >/dev/null && "cmd${c:+_}$c"; }"#,
    r#"cmd_list() { echo ok; }; x.main() { local -a c=(); c+=("${1:-CMD_LIST}"); c=("${c[@],,}"); "${c[@]}"; }"#,
    r#"cmd_list() { echo ok; }; x.main() { local c=LIST; x.run "cmd_${c,,}"; }; x.run() { "$@"; }; cmd_() { :; }"#,
    r#"cmd_list() { echo ok; }; x.main() { local c=cmd l=list; eval "${c}_$l"; }"#,
    r#"cmd_list() { echo ok; }; x.main() { local c=cmd l=list; trap "${c}_$l" EXIT; }"#,
    r#"cmd_list() { echo ok; }; x.main() { local no= c=CMD_LIST; $no ${c,,}; }"#,
    r#"cmd_list() { echo ok; }; x.main() { local c=cmd; eval "${c}_list() { echo no; }"; cmd_list; }"#,
    r#"c_a() { echo ok; }; x.main() { declare -gA H; local a=c b=_a; H[on]="$a$b"; x.fire on; }; x.fire() { local h=${H[$1]}; $h; }"#,
    r#"c_a() { echo ok; }; x.main() { local a=C_A; local -l q=$a; $q; }"#,
    r#"c_a() { echo ok; }; x.main() { local a=c b=_a; x.run -f "$a$b"; }; x.run() { while [[ $1 == -* ]]; do case $1 in -f) cb=$2; shift 2 ;; esac; done; "$cb"; }"#,
    r#"export -f cmd_list; cmd_list() { echo ok; }; x.main() { local c=CMD_LIST; bash -c "${c,,}"; }"#,
    r#"export -f cmd_list; cmd_list() { echo ok; }; x.main() { echo cmd | xargs -I% bash -c '%_list'; }"#,
    r#"c_a() { echo ok; }; x.run() { "$1"; }; x.main() { local f=x.run a=c b=_a; $f "$a$b"; }"#,
    r#"c_a() { echo ok; }; x.run() { "$1"; }; x.on() { "$@"; }; x.main() { local a=c b=_a; x.on x.run "$a$b"; }"#,
    r#"c_1=0; c_2=1; list=(a b); x.main() { local n=2; echo "${list[c_$n]}"; }"#,
    r#"cmd_a() { echo ok; }; x.main() { local n=a; eval "cmd_$n() { echo no; }"; cmd_a; }"#,
];

/// Libraries in which something is made by a name that is written nowhere as one: every version of them shares it.
const SHARED: &[(&str, Why)] = &[
    // Variables.
    (r#"x.set() { printf -v "c_$1" %s 1; }"#, Why::Made),
    (r#"x.set() { declare -g "c_$1=1"; }"#, Why::Made),
    (r#"x.set() { export "c_$1=1"; }"#, Why::Made),
    (r#"x.set() { read -r "c_$1" <<<1; }"#, Why::Made),
    (r#"x.set() { mapfile -t "c_$1" <<<1; }"#, Why::Made),
    (r#"x.set() { eval "c_$1=1"; }"#, Why::Made),
    (r#"x.set() { local -n r="c_$1"; r=1; }"#, Why::Made),
    (r#"x.set() { local -n r; r="c_$1"; r=1; }"#, Why::Made),
    (r#"x.set() { let "c_$1=1"; }"#, Why::Made),
    (r#"x.set() { local v="c_$1"; (($v = 1)); : "${!v:=2}"; }"#, Why::Made),
    (r#"for n in a b; do declare "c_$n=1"; done; x.main() { echo "$c_a"; }"#, Why::Made),
    (r#"for n in c_a c_b; do printf -v "$n" 1; done; x.main() { echo "$c_a"; }"#, Why::Made),
    (r#"x.set() { printf -v "$1" 1; }; x.set c_a; x.main() { echo "$c_a"; }"#, Why::Made),
    (r#"x.set() { local -n r=c_a; r=1; }; x.main() { echo "$c_a"; }"#, Why::Made),
    (r#"x.set() { local k v; while IFS== read -r k v; do declare -g "$k=$v"; done; }"#, Why::BuiltName),
    (r#"x.set() { export $(grep -v ^# <"$1" | xargs); }"#, Why::BuiltName),
    // Functions.
    (r#"for n in a b; do eval "c_$n() { echo $n; }"; done; x.main() { c_a; }"#, Why::Made),
    (r#"for n in exit; do eval "$n() { echo no; }"; done; x.main() { exit 3; }"#, Why::Made),
    (r#"x.make() { eval "$1() { echo $1; }"; }; x.make c_a; x.main() { c_a; }"#, Why::Made),
];

/// Libraries in which something is made by a name that is theirs to give, or local where it is made.
const GIVEN: &[&str] = &[
    r#"x.set() { printf -v "$1" 1; local -n r=$2; r=1; eval "$3() { :; }"; }"#,
    r#"x.set() { printf -v "$1" 1; }; x.main() { local got; x.set got; x.set REPLY; }"#,
    r#"x.main() { local c_a c_b n; for n in a b; do printf -v "c_$n" 1; done; }"#,
    r#"x.get() { local -n r="c_$1"; local v="c_$1"; echo "$r${!v}"; }"#,
    r#"x.main() { local "c_$1=1"; declare "d_$1=1"; unset "e_$1"; }"#,
    r#"x.set() { printf -v "c_$1" 1; eval "x.on_$1() { :; }"; }; c_a=1 # keep"#,
];

/// Libraries in which a name is written where no rule for names looks, and told with this reason.
const WRITTEN: &[(&str, Why)] = &[
    (r#"LEVEL=1; x.main() { local v=${1:-LEVEL}; echo "${!v}"; }"#, Why::ArgumentLikeVariable),
    (r#"LEVEL=1; x.main() { x.get "${1:-LEVEL}"; }; x.get() { echo "${!1}"; }"#, Why::ArgumentLikeVariable),
    (
        r#"LEVEL=1; x.main() { x.on LEVEL; }; x.on() { x.get "$1"; }; x.get() { echo "${!1}"; }"#,
        Why::ArgumentLikeVariable,
    ),
    (
        r#"LEVEL=1; x.main() { local v; for v in ${1:-LEVEL OTHER}; do echo "${!v-}"; done; }"#,
        Why::ArgumentLikeVariable,
    ),
    (r#"total=7; x.main() { local v=total; echo "$((v))"; }"#, Why::ArgumentLikeVariable),
    (r#"total=7; x.main() { local v=total+1; ((v > 1)) && [[ $v -gt 1 ]]; }"#, Why::ArgumentLikeVariable),
    (r#"total=7; x.main() { local v=total; echo "$(($v + 1))"; }"#, Why::ArgumentLikeVariable),
    (
        r#"usage=; x.doc() { printf 'usage=%q\n' 1; }; x.main() { local "$(x.doc)"; echo "$usage"; }"#,
        Why::ArgumentLikeVariable,
    ),
    (r#"LEVEL=1; x.on() { "$@"; }; x.main() { x.on source "$1"; }"#, Why::UnknownCode),
    (r#"LEVEL=1; x.on() { "$@"; }; x.main() { x.on eval "$(<"$1")"; }"#, Why::UnknownCode),
    (r#"LEVEL=1; x.main() { local load=.; $load "$1"; }"#, Why::UnknownCode),
    (r#"LEVEL=1; x.main() { declare -p LEVEL; }"#, Why::Shown),
    (r#"x.f() { :; }; x.main() { declare -f x.f; }"#, Why::Shown),
    (r#"x.f() { :; }; x.main() { type x.f | head -n 1; }"#, Why::Shown),
    (r#"LEVEL=1; x.main() { echo "${LEVEL@A}"; }"#, Why::Shown),
];

/// Libraries with the slug `x`, in which every value that is taken for a name is traced; `@V@` is the version.
const TRACED: &[&str] = &[
    r#"c_red=@V@; x.main() { local n=red; local ref="d_$n"; echo "${!ref-none} $c_red"; }"#,
    r#"x.run() { "$@"; }; x.main() { x.run echo "${1^^}" "@V@_$1"; }"#,
    r#"x.main() { local cmd=(printf '%s\n'); cmd+=("@V@${1,,}"); "${cmd[@]}"; }"#,
    r#"x.main() { local sudo= d=${1%/*}; $sudo printf '%s\n' "@V@$d"; }"#,
    r#"x.main() { local tool; tool=$(command -v printf); "$tool" '%s\n' @V@; }"#,
    r#"x.set() { printf -v "$1" '%s' "@V@"; }; x.main() { local got; x.set got; echo "$got"; }"#,
    r#"x.set() { local -n into=$1; into=@V@; }; x.main() { local a_1; x.set "a_${1:-1}"; echo "$a_1"; }"#,
    r#"x.a() { echo a@V@; }; x.main() { local f; for f in x.a; do "$f"; done; }"#,
    r#"x.main() { local dir=${BASH_SOURCE[0]%/*}; "$dir/none/x" 2>/dev/null || echo @V@; }"#,
    r#"x_cmd_a() { echo a@V@; }; x.main() { local c="x_cmd_${1:-a}"; "$c"; }"#,
    r#"eval 'declare T=@V@'; x.main() { echo "$T"; }"#,
    r#"declare -A m=([k_a]=@V@); x.main() { local n=a; echo "${m[k_$n]}"; }"#,
    r#"n=1; l=(a b@V@); x.main() { local i=1; ((i += n)); echo "$((i)) ${l[n]}"; }"#,
    r#"x.main() { coproc CO { echo @V@; read -r; }; local a; read -r a <&"${CO[0]}"; echo >&"${CO[1]}"; wait; echo "$a"; }"#,
];

fn renamed(code: &str, version: &str) -> Output {
    let files = vec![SourceFile { path: "x.sh".into(), bytes: code.as_bytes().to_vec() }];
    let mark = Some(version_mark(version));
    rename(files, &Subject { slugs: vec!["x".into()], mark, ..Subject::default() }, &[])
}

fn told(output: &Output) -> Vec<String> {
    output.report.undecided.iter().map(ToString::to_string).collect()
}

fn said(script: &str) -> String {
    let output = Command::new("bash").args(["--norc", "-c", script]).output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_name_that_is_made_when_the_code_runs_is_told() {
    for code in MADE {
        let output = renamed(code, "1.0.0");
        let whys: Vec<Why> = output.report.undecided.iter().map(|doubt| doubt.why).collect();
        assert!(whys.contains(&Why::BuiltName), "{code}: {:?}", told(&output));
    }
}

#[test]
fn what_is_made_by_a_name_that_is_written_nowhere_is_told_as_shared_by_all_versions() {
    for (code, why) in SHARED {
        let output = renamed(code, "1.0.0");
        let whys: Vec<Why> = output.report.undecided.iter().map(|doubt| doubt.why).collect();
        assert!(whys.contains(why), "{code}: {:?}", told(&output));
    }
    for code in GIVEN {
        let keep = if code.ends_with("# keep") { vec!["c_a".to_owned()] } else { Vec::new() };
        let files = vec![SourceFile { path: "x.sh".into(), bytes: code.as_bytes().to_vec() }];
        let mark = Some(version_mark("1.0.0"));
        let output =
            rename(files, &Subject { slugs: vec!["x".into()], mark, keep, ..Subject::default() }, &[]);
        assert!(output.report.undecided.is_empty(), "{code}: {:?}", told(&output));
    }
}

#[test]
fn what_a_program_makes_is_its_own() {
    let file = |path: &str, text: &str| SourceFile { path: path.into(), bytes: text.as_bytes().to_vec() };
    let program = "for n in a b; do printf -v \"c_$n\" 1; eval \"f_$n() { :; }\"; done; x.main\n";
    let files = vec![file("x.sh", "x.main() { :; }\n"), file("run", program)];
    let subject = Subject {
        slugs: vec!["x".into()],
        mark: Some(version_mark("1.0.0")),
        programs: ["run".to_owned()].into(),
        ..Subject::default()
    };
    let output = rename(files, &subject, &[]);
    assert!(output.report.undecided.is_empty(), "{:?}", told(&output));
}

#[test]
fn a_name_that_is_written_where_no_rule_for_names_looks_is_told() {
    for (code, why) in WRITTEN {
        let output = renamed(code, "1.0.0");
        let whys: Vec<Why> = output.report.undecided.iter().map(|doubt| doubt.why).collect();
        assert!(whys.contains(why), "{code}: {:?}", told(&output));
    }
}

#[test]
fn a_value_that_is_traced_to_its_end_leaves_nothing_undecided_and_does_what_it_did() {
    for code in TRACED {
        let of = |version: &str| code.replace("@V@", version);
        // Libraries are sourced in a function.
        let run = |texts: &[String], main: &str| {
            let loads: Vec<String> =
                texts.iter().map(|text| format!("load() {{\n{text}\n}}\nload\n")).collect();
            said(&format!("{}{main} ''\n", loads.concat()))
        };
        let both = ["1", "2"].map(|version| {
            let output = renamed(&of(version), &format!("{version}.0.0"));
            assert!(output.report.undecided.is_empty(), "{code}: {:?}", told(&output));
            String::from_utf8(output.files[0].bytes.clone()).unwrap()
        });
        for (index, version) in ["1", "2"].iter().enumerate() {
            let alone = said(&format!("{}\nx.main ''\n", of(version)));
            assert!(alone.contains(version), "{code}: {alone}");
            assert_eq!(run(&both, &format!("x_{version}_0_0.main")), alone, "{code}\n{}", both[index]);
        }
    }
}

/// The package `acme/x` of this code, as one that needs it sees it.
fn dependency(code: &str) -> super::Dependency {
    super::Dependency {
        name: "acme/x".into(),
        slugs: vec!["x".into()],
        mark: Some(version_mark("1.0.0")),
        exports: renamed(code, "1.0.0").exports,
        under_test: false,
    }
}

#[test]
fn a_variable_that_only_a_dependency_gives_a_value_is_told_as_shared() {
    let dependency = dependency(r#"x.set() { printf -v "$1" 1; }"#);
    for (code, whys) in [
        (r#"u.f() { x.set result; echo "$result"; }"#, vec![Why::Made]),
        (r#"u.f() { local result; x.set result; echo "$result"; }"#, vec![]),
        (r#"u.f() { x.set REPLY; echo "$REPLY"; x.set other; }"#, vec![]),
        (r#"u.f() { printf result; echo "$result"; }"#, vec![]),
    ] {
        let files = vec![SourceFile { path: "u.sh".into(), bytes: code.as_bytes().to_vec() }];
        let mark = Some(version_mark("1.0.0"));
        let subject = Subject { slugs: vec!["u".into()], mark, ..Subject::default() };
        let output = rename(files, &subject, std::slice::from_ref(&dependency));
        let told: Vec<Why> = output.report.undecided.iter().map(|doubt| doubt.why).collect();
        assert_eq!(told, whys, "{code}");
    }
}

#[test]
fn names_of_a_dependency_that_are_made_are_told_as_its_own() {
    let dependency = dependency("x_red=1; x.main() { :; }");
    for (code, told) in [
        (r#"u.f() { local v="x_$1"; echo "${!v}"; }"#, true),
        (r#"u.f() { local v="y_$1"; echo "${!v}"; }"#, false),
        (r#"u.f() { local c=${1,,}; "$c"; }"#, true),
    ] {
        let files = vec![SourceFile { path: "u.sh".into(), bytes: code.as_bytes().to_vec() }];
        let subject = Subject { slugs: vec!["u".into()], ..Subject::default() };
        let output = rename(files, &subject, std::slice::from_ref(&dependency));
        let about: Vec<Option<usize>> =
            output.report.undecided.iter().map(|doubt| doubt.dependency).collect();
        assert_eq!(about, if told { vec![Some(0)] } else { vec![] }, "{code}");
    }
}
