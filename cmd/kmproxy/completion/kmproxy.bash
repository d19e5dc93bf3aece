# Completion of kmproxy for bash. Load it with: source <(kmproxy completion bash)
_kmproxy() {
    local typed=${COMP_LINE:0:COMP_POINT} line
    local -a words
    # COMP_WORDS would split --config=FILE in three.
    read -ra words <<<"$typed"
    [[ $typed == *[[:space:]] ]] && words+=("")
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("${line%%$'\t'*}")
    done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
}
complete -o bashdefault -o default -F _kmproxy kmproxy
