# Completion of kmproxy for fish. Load it with: kmproxy completion fish | source
function __kmproxy_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    $words[1] complete -- $words[2..-1] "$current" 2>/dev/null
end
# File names are offered only where kmproxy has nothing to say.
complete -c kmproxy -f -n '__kmproxy_complete | count >/dev/null' -a '(__kmproxy_complete)'
