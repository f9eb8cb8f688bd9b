//! Kinds of places where renaming could change what a library does, and how each is met: two versions of the library in one
//! shell, run by real Bash, do each what it did alone; or the place is told, and the library keeps its names.

use std::process::Command;

use super::{Output, SourceFile, Subject, Why, rename, version_mark};

/// Libraries with the slug `t`, all of whose places are decided; `@V@` is the version, and `t.main` is called.
const DECIDED: &[&str] = &[
    // Names that are built of a beginning which only the library's functions have.
    r#"t_cmd_a() { echo a@V@; }; t.main() { local c=a; "t_cmd_$c"; t_cmd_${c}; type "t_cmd_$c" >/dev/null && declare -F "t_cmd_$c" >/dev/null && eval "t_cmd_$c"; }"#,
    r#"t_cmd_a() { echo a@V@; }; t.main() { local cmd="t_cmd_${1-a}"; $cmd; }"#,
    r#"t_cmd_a() { echo a@V@; }; t.main() { local c=a; declare -F t_cmd_$c >/dev/null && declare -f t_cmd_"$c" >/dev/null && (export -f t_cmd_$c; bash -c t_cmd_a; unset -f t_cmd_$c; type -t t_cmd_a || echo gone); }"#,
    r#"t_cmd_a() { echo a@V@; }; export -f t_cmd_a; t.main() { echo a | xargs -I{} bash -c 't_cmd_{}'; echo a | xargs -I% bash -c 't_cmd_%'; }"#,
    r#"_t_words() { echo one@V@; }; t.main() { compgen -W '$(_t_words)'; }"#,
    r#"t.do_a() { echo "a@V@ $1"; }; t.run() { "t.do_$1" "$2"; }; t.main() { t.run a b; }"#,
    // Names kept in variables that are called and nothing else.
    r#"t.show() { echo "s@V@ $1"; }; t.main() { local fn; for fn in t.show; do "$fn" x; declare -F "$fn" >/dev/null; done; }"#,
    r#"t.show() { echo "s@V@"; }; t.main() { local name=; printf -v name '%q' "t.private.x_${1-a}"; eval "$name() { t.show; }"; "$name"; }"#,
    // Commands of the shell, by name.
    r#"t_cd() { builtin cd "$@" && command printf '%s\n' @V@; }; t.main() { enable echo; t_cd /; builtin eval t_cd /; }"#,
    // Code in strings, for this process and others.
    r#"t.f() { echo "f@V@$1"; }; export -f t.f; t.main() { bash -c 't.f'; echo x | xargs -I{} bash -c 't.f {}'; find / -maxdepth 0 -exec bash -c 't.f "$0"' {} \; ; (trap 't.f bye' EXIT); bash <<<'t.f here'; }"#,
    r#"t.f() { echo "f@V@"; }; t.main() { shopt -s expand_aliases; alias tx='t.f'; eval 'tx'; unalias tx; }"#,
    r#"_t_c() { COMPREPLY=("c@V@"); }; t.main() { complete -F _t_c t-tool; complete -p t-tool | grep -c 'complete -F' ; _t_c; echo "${COMPREPLY[@]}"; }"#,
    // Messages keep the names that people know.
    r#"t.save() { echo "t.save: version @V@ fails" >&2; printf 'usage: t.save FILE\n'; cat <<'EOF'
t.save saves, t.main is called.
EOF
}; t.main() { t.save 2>&1; }"#,
    // State.
    r#"count=0; list=; declare -A map=([k]=@V@); t.main() { count=$((count + @V@)); list="$list$count"; echo "$count $list ${map[k]} ${map[${1-k}]-}${count:-none}"; }"#,
    r#"t.init() { [[ -n ${__ready-} ]] && return; __ready=@V@; }; t.main() { t.init; echo "$__ready"; }"#,
    r#"all=(); t.add() { local -n into=$1; into+=("$2@V@"); }; t.main() { local -a mine=(); t.add mine x; echo "${mine[@]}"; mapfile -t all <<<"y@V@"; read -r line <<<"${all[0]}"; echo "$line"; }"#,
    // What only keeps a file from being read twice is no setting.
    r#"[[ -n $T_READ ]] && return; T_READ=@V@; t.main() { echo "$T_READ"; }"#,
    r#"if [ "$T_READ" ]; then return 0; fi; T_READ=@V@; t.main() { echo "$T_READ"; }"#,
    r#"t.main() { COUNT=$((COUNT + @V@)); ((COUNT++)); LIST+=(a); echo "$COUNT ${#LIST[@]}"; }"#,
    r#"t.init() { COUNT=@V@; }; t.add() { COUNT=$((COUNT + 1)); }; t.main() { t.init; t.add; echo "$COUNT"; }"#,
    r#"eval "$(weir bash init 2>/dev/null)"; t.main() { echo @V@; }"#,
    // A function of a name that programs have, defined whenever the file is sourced.
    r#"sed() { echo "sed@V@"; }; t.main() { sed; command sed -n p </dev/null; }"#,
];

/// Places that no rule can decide, and why.
const TOLD: &[(&str, Why)] = &[
    (r#"t.f() { eval "exit() { echo no; }"; exit 3; }"#, Why::LikeCommand),
    (r#"cd() { builtin cd "$@"; }"#, Why::LikeCommand),
    (r#"type tac >/dev/null || tac() { sed -n 1p; }; t.f() { tac; }"#, Why::LikeCommand),
    (r#"if ! command -v realpath; then realpath() { echo "$1"; }; fi"#, Why::LikeCommand),
    (r#"t_cmd_a() { :; }; t.f() { local p=t_cmd_; "$p$1"; }"#, Why::BuiltName),
    (r#"t_cmd_a() { :; }; t.f() { local p=t; "${p}_cmd_$1"; }"#, Why::BuiltName),
    (r#"t_cmd_a() { :; }; t.f() { local c="t_cmd_$1"; echo "$c"; "$c"; }"#, Why::BuiltName),
    (r#"t_cmd_a() { :; }; t.f() { $(printf 't_cmd_%s' a); }"#, Why::BuiltName),
    (r#"t_cmd_a() { :; }; t.names() { printf 't_cmd_%s' a; }"#, Why::BuiltName),
    (r#"cmd_a() { :; }; t.f() { xargs "cmd_$1"; }"#, Why::BuiltName),
    (r#"t_plug_a() { :; }; t.f() { compgen -A function t_plug_; }"#, Why::Listed),
    (r#"t.f() { compgen -A function | grep plug; }"#, Why::Listed),
    (r#"t.f() { declare -F | cut -d' ' -f3; }"#, Why::Listed),
    (r#"t.f() { typeset -f | grep plug; }"#, Why::Listed),
    (r#"t.f() { set | grep plug; }"#, Why::Listed),
    (r#"t_opt_a=1; t.f() { echo "${!t_opt_@}"; }"#, Why::Listed),
    (r#"t_opt_a=1; t.f() { echo ${!t_opt_*}; }"#, Why::Listed),
    (r#"t_opt_a=1; t.f() { compgen -v t_opt_; }"#, Why::Listed),
    (r#"export t_url=x"#, Why::Exported),
    (r#"t_url=x; t.f() { export t_url; }"#, Why::Exported),
    (r#"declare -x t_url=x"#, Why::Exported),
    (r#"set -a; t_url=x; t.f() { :; }"#, Why::Exported),
    (r#"set -o allexport; t_url=x; t.f() { :; }"#, Why::Exported),
    (r#"t.doc() { echo usage=x; }; t.f() { local usage; eval "$(t.doc)"; }"#, Why::UnknownCode),
    (r#"t.f() { eval "$1"; }"#, Why::UnknownCode),
    (r#"t.f() { eval "$code"$'\n'; }"#, Why::UnknownCode),
    (r#"t.f() { trap "$1" EXIT; }"#, Why::UnknownCode),
    (r#"t.f() { source <(printf x); }"#, Why::UnknownCode),
    (r#"t.f() { [[ -z ${T_X:-} ]] && T_X=default; }"#, Why::LikeSetting),
    (r#"t.f() { if [ -z "$T_X" ]; then T_X=d; fi; }"#, Why::LikeSetting),
    (r#"t.f() { test -n "$T_X" || T_X=d; }"#, Why::LikeSetting),
    (r#"t.f() { [[ -v T_X ]] || T_X=d; }"#, Why::LikeSetting),
    (r#"t.f() { case $T_X in '') T_X=d ;; esac; }"#, Why::LikeSetting),
    (r#": "${T_X:=d}"; t.f() { :; }"#, Why::LikeSetting),
    (r#"T_X=${T_X:-d}; t.f() { :; }"#, Why::LikeSetting),
    (r#"t_url=${t_url-d}; t.f() { :; }"#, Why::LikeSetting),
    (r#"readonly T_X=${T_X:-d}; t.f() { echo "$T_X"; }"#, Why::LikeSetting),
    (r#"declare -g T_X="${T_X:-d}"; t.f() { echo "$T_X"; }"#, Why::LikeSetting),
    (r#"t.f() { ((T_X)) || T_X=4; }"#, Why::LikeSetting),
    (r#"t.f() { ((T_X == 0)) && T_X=4; }"#, Why::LikeSetting),
    (r#"t.f() { while [ -z "$T_X" ]; do T_X=4; done; }"#, Why::LikeSetting),
    (r#"t.f() { until [[ $T_X ]]; do T_X=4; done; }"#, Why::LikeSetting),
    (r#"t.f() { local x=$T_X; T_X=${x:-4}; }"#, Why::LikeSetting),
    (r#"t.f() { local x; x=${T_X}; [ "$x" ] || T_X=4; }"#, Why::LikeSetting),
    (r#"t.f() { echo "$T_X"; T_X=4; }"#, Why::LikeSetting),
    (r#"T_X+=:a; t.f() { echo "$T_X"; }"#, Why::LikeSetting),
    (r#"T_X=$((T_X + 1)); t.f() { echo "$T_X"; }"#, Why::LikeSetting),
    (r#"((T_X++)); t.f() { echo "$T_X"; }"#, Why::LikeSetting),
    (r#"let T_X+=1; t.f() { echo "$T_X"; }"#, Why::LikeSetting),
    (r#"T_Y=$T_X; T_X=2; t.f() { echo "$T_X$T_Y"; }"#, Why::LikeSetting),
    (r#"[ -z "$T_X" ] && T_Y=1 || T_Y=2; T_X=b; t.f() { echo "$T_X$T_Y"; }"#, Why::LikeSetting),
    (r#"T_FORMAT=x; t.f() { . /dev/stdin <"$config"; }"#, Why::Sourced),
    (r#"T_FORMAT=x; t.f() { source /dev/stdin < <(cat "$config"); }"#, Why::Sourced),
    (r#"T_FORMAT=x; t.f() { cat "$config" | { source /dev/stdin; echo "$T_FORMAT"; }; }"#, Why::Sourced),
    (r#"t_z() { :; }; t.f() { local p='$(t_z)'; echo "${p@P}"; }"#, Why::UnknownCode),
    (r#"t_z() { :; }; t.f() { eval "other_$(declare -f t_z)"; other_t_z; }"#, Why::UnknownCode),
    (r#"T_FORMAT=x; t.f() { source "$config"; echo "$T_FORMAT"; }"#, Why::Sourced),
    (r#"T_FORMAT=x; t.f() { . /etc/t.conf; }"#, Why::Sourced),
    (r#"T_FORMAT=x; t.f() { . ~/.trc; }"#, Why::Sourced),
    (
        r#"t.a() { :; }; t.f() { local k; declare -A h=([t.a]=x); for k in t.a; do echo ${h[$k]}; done; }"#,
        Why::ArgumentLikeFunction,
    ),
    (r#"t.a() { :; }; t.f() { on_exit t.a; }"#, Why::ArgumentLikeFunction),
    (r#"t.a() { :; }; t.f() { precmd_functions+=(t.a); }"#, Why::ArgumentLikeFunction),
    (r#"t.save() { :; }; t.names() { echo t.save; }"#, Why::Printed),
    (r#"t.f() { echo "${FUNCNAME[0]}: fails"; }"#, Why::OwnName),
    (r#"t.f() { caller 0; }"#, Why::OwnName),
    (r#"t.f() { :; }; x='t.f now'"#, Why::InString),
    (r#"t.f() { eval 'if'; }"#, Why::UnreadCode),
    (r#"t.f() { :; }; t.g() { env "BASH_FUNC_t.f%%=() { :; }" bash; }"#, Why::InString),
];

fn renamed(code: &str, version: &str) -> Output {
    let files = vec![SourceFile { path: "t.sh".into(), bytes: code.as_bytes().to_vec() }];
    rename(
        files,
        &Subject { slugs: vec!["t".into()], mark: Some(version_mark(version)), ..Subject::default() },
        &[],
    )
}

fn said(script: &str) -> String {
    let output = Command::new("bash").args(["--norc", "-c", script]).output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn two_versions_whose_places_are_decided_do_in_one_shell_what_each_does_alone() {
    for code in DECIDED {
        let of = |version: &str| code.replace("@V@", version);
        let alone = ["1", "2"].map(|version| said(&format!("{}\nt.main\n", of(version))));
        assert_ne!(alone[0], alone[1], "{code}");
        let both = ["1", "2"].map(|version| {
            let output = renamed(&of(version), &format!("{version}.0.0"));
            assert!(output.report.undecided.is_empty(), "{code}: {:?}", output.report.undecided);
            String::from_utf8(output.files[0].bytes.clone()).unwrap()
        });
        for (index, main) in ["t_1_0_0.main", "t_2_0_0.main"].iter().enumerate() {
            assert_eq!(
                said(&format!("{}\n{}\n{main}\n", both[0], both[1])),
                alone[index],
                "{code}\n{}",
                both[index]
            );
        }
    }
}

#[test]
fn what_no_rule_can_decide_is_told_with_its_reason() {
    for (code, why) in TOLD {
        let told: Vec<Why> = renamed(code, "1.0.0").report.undecided.iter().map(|doubt| doubt.why).collect();
        assert!(told.contains(why), "{code}: {told:?}");
    }
}
