#compdef kmproxy
# Completion of kmproxy for zsh. Load it with: source <(kmproxy completion zsh)
_kmproxy() {
    local line
    local -a found
    while IFS= read -r line; do
        found+=("${line%%$'\t'*}:${line#*$'\t'}")
    done < <("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
    if (( ${#found} )); then
        _describe kmproxy found
    else
        _files
    fi
}
if [[ ${funcstack[1]} == _kmproxy ]]; then
    _kmproxy "$@"
else
    compdef _kmproxy kmproxy
fi
