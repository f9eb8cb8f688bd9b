//! Every form of the language in which an expansion or a call can stand, one a line: after renaming, Bash does with
//! each what it did before.

use std::process::Command;

use super::{Output, SourceFile, Subject, Why, rename, version_mark};

/// What each form may use.
const GIVEN: &str = r#"
NAT='0|[1-9]'
P='a*'
I=2
KEY=k
OUT=
N=NAT
ALL=(x y z)
FLAT=a:b
declare -gA MAP=([k]=v [$I]=two)
core.say() { printf '<%s>' "$@"; }
"#;

/// What stands in the shell under the old names, and must not be reached any more.
const STRANGER: &str = "NAT=stranger P=stranger I=9 KEY=stranger N=stranger FLAT=s:t:u ALL=(s) K=s OUT=stranger L=stranger\ndeclare -A MAP=([stranger]=s)\ncore.say() { echo stranger; }\n";

const FORMS: &[&str] = &[
    // Regular expressions.
    r#"[[ 5 =~ ^($NAT)$ ]] && core.say "${BASH_REMATCH[1]}""#,
    r#"[[ x5 =~ ^x(${NAT})$ ]] && core.say yes"#,
    r#"[[ x =~ ^($NAT)$ ]] || core.say no"#,
    r#"re=5; [[ 5 =~ $NAT && 5 =~ ${NAT} ]] && core.say yes"#,
    r#"[[ '0|[1-9]' =~ ^"$NAT"$ ]] && core.say quoted"#,
    r#"[[ '0|[1-9]5' =~ ^"${NAT}"($NAT)$ ]] && core.say both"#,
    r#"[[ '$NAT' =~ ^\$NAT$ ]] && core.say escaped"#,
    r#"[[ '$NAT5' =~ ^'$NAT'($NAT)$ ]] && core.say raw"#,
    r#"[[ $'$NAT5' =~ ^$'$NAT'($NAT)$ ]] && core.say ansi"#,
    r#"[[ y2 =~ ^${ALL[1]}$I$ ]] && core.say array"#,
    r#"[[ z =~ ^${ALL[I]}$ ]] && core.say index"#,
    r#"[[ v2 =~ ^${MAP[$KEY]}${I}$ ]] && core.say map"#,
    r#"[[ 3xx =~ ^${#ALL[@]}x{$I}$ ]] && core.say length"#,
    r#"[[ 12 =~ ^$((I*6))$ ]] && core.say arithmetic"#,
    r#"[[ '<2>' =~ ^$(core.say $I)$ ]] && core.say command"#,
    r#"[[ '<2>x' =~ ^"$(core.say "$I")"x$ ]] && core.say nested"#,
    r#"[[ d =~ ^${NONE:-${NONE:-d}}$ ]] && core.say default; [[ 2 =~ ^(${NONE:-$I})$ ]] && core.say default"#,
    r#"[[ b =~ ^(${P/a\*/b})$ ]] && core.say replaced"#,
    r#"[[ '0|[1-9]' =~ ^[0-9|-]+.*${!N:0:0}$ ]] && core.say indirect"#,
    "[[ 5 =~ ^($NAT|\\\n$I)$ ]] && core.say continued",
    r#"if ! [[ $1 =~ ^[$I-5]+$ ]]; then core.say class; fi"#,
    r#"[[ 2 =~ [[:digit:]]$|$I ]] && core.say posix; [[ 'a b' =~ a\ b|$I ]] && core.say space"#,
    // Patterns.
    r#"[[ abc == $P && abc = ${P} && abc != "$P" ]] && core.say pattern"#,
    r#"[[ xabc == x$P ]] && core.say tail; [[ 2x == ${I}* ]] && core.say head; [[ 2x == "$I"* ]] && core.say quoted"#,
    r#"shopt -s extglob; eval '[[ 22 == +($I) ]] && core.say ext; [[ 2 == @(x|$I|"$KEY") ]] && core.say alternatives'"#,
    r#"[[ k == @(x|$KEY) ]] && core.say at; [[ kk == +($KEY) ]] && core.say plus; [[ z == !($KEY) ]] && core.say not"#,
    r#"[[ k2 == @(x|"${KEY}${I}") ]] && core.say at; [[ '$KEY' == @('$KEY'|x) ]] && core.say raw"#,
    r#"case abc in $P) core.say one ;; esac; case "a*" in "$P") core.say two ;; esac; case x2 in x${I}|y) core.say three ;; esac"#,
    r#"case k in @(x|$KEY)) core.say at ;; esac; case 2k in $I?(k)) core.say opt ;; esac"#,
    r#"case k2 in "$KEY"$I) core.say glued ;; esac; case 'v' in ${MAP[$KEY]}) core.say map ;; esac; case 5 in [0-$((I+3))]) core.say class ;; esac"#,
    r#"case $I in 2) core.say word ;; esac; case ${ALL[I]} in z) core.say index ;; esac; case $(core.say x) in *x*) core.say command ;; esac"#,
    // Parameters.
    r#"core.say "${FLAT/$KEY/x}" "${FLAT/a/$I}" "${FLAT//:/$KEY}" "${FLAT/#a/$KEY$I}" "${FLAT/%b/${KEY}}" "${FLAT/"a"/"$KEY"}""#,
    r#"core.say "${FLAT%%:${KEY:+b}}" "${FLAT#$P}" "${FLAT##*${NONE:-:}}" "${FLAT%"$KEY"}" "${FLAT%:*}""#,
    r#"core.say "${NONE:-$I}" "${NONE-${KEY}}" "${NONE:-a$I-b}" "${NONE:-"$KEY $I"}" "${NONE:-$(core.say $I)}" "${NONE:-$((I+1))}" "${I:+$KEY}" ${NONE:-$I $KEY}"#,
    r#"core.say "${NONE:=$I}"; core.say "$NONE"; unset NONE"#,
    r#"(: "${GONE:?$KEY is gone}") 2>&1 | { read -r line; core.say "${line##*: }"; }"#,
    r#"core.say "${!N}" "${!N/0/z}" "${#NAT}" "${#ALL[@]}" "${!MAP[@]}" "${!ALL[*]}""#,
    r#"core.say "${FLAT^^}" "${FLAT^}" "${KEY,,}" "${FLAT:$I}" "${FLAT:I-1:1}" "${FLAT: -1}" "${FLAT:0:${#KEY}}" "${FLAT:$((I-1)):I}""#,
    r#"core.say "${ALL[@]:I-1:1}" "${ALL[@]:$I}" "${ALL[*]/x/$KEY}" "${ALL[@]#$KEY}" "${ALL[$I]}" "${ALL[I-1]}" "${ALL[$I-2]}" "${ALL[${#KEY}]}""#,
    r#"core.say "${MAP[$KEY]}" "${MAP["$KEY"]}" "${MAP[k]}" "${MAP[$I]}" "${MAP[${KEY}]+set}" "${MAP[$KEY]:-$I}""#,
    r#"core.say ${NAT@Q} "${KEY@Q}" "${MAP[$KEY]@Q}" "${NONE:-${KEY@Q}}""#,
    r#"core.say "${NONE:-'$I'}" ${NONE:-'$I'} "${NONE:-\$I}" "a'$I'b" "a\$I""#,
    // Arithmetic.
    r#"core.say $((I+1)) $(( $I * ${I} )) "$((ALL[0] + I))" $((ALL[I-2]=I, ALL[0]+1)); ALL[0]=x"#,
    r#"((I > 1)) && core.say more; ((K = I << 2, K += I)); core.say $K; (( I == 2 ? (K = 7) : (K = 8) )); core.say "$K""#,
    r#"((K = 1)); ((K++)); ((++K)); ((K--)); core.say $((-I)) $((!I)) $((~I)) $((K ** I)) $((K, I)) $((16#a + I)) $((10#$I))"#,
    r#"let K=I*3; core.say $K; let "K = I + 1" K++; core.say $K; let 'K=I+7'; core.say $K; let K="$I"+1; core.say "$K""#,
    r#"core.say $[I+1] "$[ $I + I ]""#,
    r#"for ((K = I; K < I + 2; K++)); do core.say $K; done; for ((K=0;K<$I;K+=I)) { core.say $K; }"#,
    r#"ALL[I]=w; core.say "${ALL[2]}"; ALL[$I+1]=v; core.say "${ALL[3]}"; ALL[${I}]+=x; core.say "${ALL[@]}"; ALL=(x y z)"#,
    r#"MAP[$KEY$I]=a MAP["$KEY"]=b; core.say "${MAP[k2]}" "${MAP[k]}"; MAP[k]=v; [[ -v MAP[k2] ]] && core.say there; unset "MAP[k2]""#,
    r#"[[ I -eq 2 && $I -lt 3 && I+1 -gt 2 ]] && core.say numbers; [[ -n $KEY && -z $NONE && ! -v NONE && -v KEY ]] && core.say tests; [ "$I" -eq 2 ] && core.say old"#,
    r#"core.f() { local -i n=I+1; declare -i m; m=I*4; core.say $n $m; }; core.f"#,
    r#"K=(I [I]=b [$I+1]=c "$KEY" $I); core.say "${K[@]}"; unset K; K=s"#,
    // Documents and strings.
    "while read -r a; do core.say \"$a\"; done <<EOF\n$I ${KEY} ${ALL[I]} \\$I $(core.say $I) `core.say $KEY` $((I+1))\n'$I' \"$KEY\"\nEOF",
    "while read -r a; do core.say \"$a\"; done <<-'EOF'\n\t$I ${KEY}\n\tEOF",
    "cat <<\"EOF\"; core.say x\n$I ${KEY}\nEOF",
    r#"read -r a <<<"$I $KEY"; core.say "$a"; read -r a <<<$I; core.say "$a"; read -r a <<<a${KEY}'$I'; core.say "$a""#,
    r#"core.say a{$I,"$KEY",${KEY}x}b {$I..3} {a,b}$I {1..2}"$KEY" "{$I,$KEY}""#,
    r#"core.say ~+/$I x=$KEY --y=$I "$KEY=$I" $KEY-$I $KEY.$I ${KEY}_$I "$KEY"_'$I' $'$I' $"$I" \$I"#,
    r#"a=$KEY b=$I:$KEY c="$I"'$I'$KEY; core.say "$a" "$b" "$c"; OUT+=$KEY; core.say "$OUT"; OUT="""#,
    // Commands.
    r#"core.say "$(core.say "$(core.say $I)")" "`core.say "$I"`""#,
    r#"while read -r a; do core.say "$a"; done < <(core.say $I; echo; core.say "${KEY}"; echo); cat <(core.say $I) | tee >(cat >/dev/null)"#,
    r#"coproc { core.say $I; echo; read -r; }; read -r a <&"${COPROC[0]}"; core.say "$a"; echo >&"${COPROC[1]}"; wait"#,
    r#"coproc CO { core.say $KEY; echo; read -r; }; read -r a <&"${CO[0]}"; core.say "$a"; echo >&"${CO[1]}"; wait"#,
    r#"select K in $KEY "${ALL[@]}"; do core.say "$K"; break; done <<<$I 2>/dev/null"#,
    r#"for K in $I "${ALL[@]}" ${MAP[$KEY]}; do core.say $K; done; for a; do core.say "$a$I"; done"#,
    r#"until ((I > 1)); do :; done; while [[ $I == 3 ]]; do :; done; if [[ $KEY ]]; then core.say if; elif [[ $I ]]; then :; fi"#,
    r#"L=$I core.say x; { core.say $I; } 2>/dev/null >&1; (core.say $I); core.say $I >/dev/null; ! core.say $KEY; time -p core.say $I 2>/dev/null"#,
    r#"trap 'core.say "$I"' USR1; kill -USR1 $BASHPID; trap "core.say \$KEY $I" USR1; kill -USR1 $BASHPID; trap - USR1"#,
    r#"eval "core.say \$I"; eval 'core.say "${ALL[I]}"' '$KEY'; eval "OUT=\"$I\"; core.say \"\$OUT\""; eval core.say '"$I"'"#,
    r#"eval '[[ 5 =~ ^($NAT)$ ]] && core.say regex'; eval "[[ 5 =~ ^(\$NAT)$ ]] && core.say regex""#,
    r#"read -r OUT <<<x; core.say $OUT; printf -v OUT %s "$I"; core.say $OUT; printf -v 'ALL[0]' %s "$KEY"; core.say "${ALL[0]}"; mapfile -t L <<<"$I"; core.say "${L[0]}""#,
    r#"core.f() { local -n r=MAP; core.say "${r[$KEY]}"; local a=$I b="${KEY}" c=(${ALL[I]} $I); core.say $a $b "${c[@]}"; }; core.f"#,
    r#"exec 7<<<"$I"; read -r -u 7 a; core.say $a; exec 7<&-; K=7; exec {K}<<<$KEY; read -r -u $K a; core.say $a; exec {K}<&-"#,
    r#"declare -g OUT=$I; export -n OUT; core.say $OUT; readonly LAST=$I; core.say $LAST; [[ ${LAST+x}${OUT:+y} == xy ]] && core.say set; OUT= "#,
    r#"command printf '%s' "$I"; builtin echo "${KEY}"; \core.say $I; "core.say" $I; core."say" $KEY; if core.say $I; then :; fi && core.say x || core.say y"#,
    r#"case k in x) : ;; esac; case kk in @(${KEY}k)) core.say x ;; esac; case $I in 2) ;; esac"#,
];

/// What the grammar cannot read, or no rule can decide.
const TOLD: &[&str] = &[
    r#"[[ '<2>' =~ ^`core.say $I`$ ]] && core.say x"#,
    r#"[[ '<2>' =~ ^"`core.say $I`"$ ]] && core.say x"#,
    "cat <<$KEY && core.say x\n${I}\n$KEY\n",
    r#"core.say `core.say \`core.say $KEY\``"#,
    r#"PS1='\$(core.say x)'; K='echo $KEY'; core.say x"#,
];

fn run(script: &str) -> (String, String) {
    let output = Command::new("bash").args(["--norc", "-O", "extglob", "-c", script]).output().unwrap();
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

fn renamed(code: &str) -> Output {
    let files = vec![SourceFile { path: "core.sh".into(), bytes: code.as_bytes().to_vec() }];
    let mark = Some(version_mark("1.0.0"));
    rename(files, &Subject { slugs: vec!["core".into()], mark, ..Subject::default() }, &[])
}

#[test]
fn every_form_of_an_expansion_does_the_same_after_renaming() {
    let mut wrong = Vec::new();
    for form in FORMS {
        let code = format!("{GIVEN}{form}\n");
        let output = renamed(&code);
        let after = String::from_utf8(output.files[0].bytes.clone()).unwrap();
        let (said, complaint) = run(&code);
        if complaint.contains("bad substitution") {
            // Bash 4.3 does not know `${x@Q}`.
            continue;
        }
        assert!(said.contains(['<', 'x']), "the form says nothing: {form}\n{complaint}");
        let (says, complaint) = run(&format!("{STRANGER}{after}"));
        let unread = output.report.undecided.iter().any(|doubt| doubt.why == Why::UnreadCode);
        if said != says && !unread {
            let body = &after[after.find("core_1_0_0.say").unwrap_or_default()..];
            let told: Vec<String> = output.report.undecided.iter().map(ToString::to_string).collect();
            wrong.push(format!("{form}\n{body}{said}\n{says}\n{complaint}\n{told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} forms:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_form_that_cannot_be_read_is_told() {
    for form in TOLD {
        assert!(!renamed(&format!("{GIVEN}{form}\n")).report.undecided.is_empty(), "{form}");
    }
}
