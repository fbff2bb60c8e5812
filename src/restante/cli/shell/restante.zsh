#compdef restante
# Completion of restante for zsh. `restante completion zsh` prints this file.

_restante() {
    local line
    local -a described
    for line in "${(@f)$(${(Q)words[1]/#\~/$HOME} --complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        if [[ $line == :files ]]; then
            _files
            return
        fi
        [[ -n $line ]] || continue
        if [[ $line == *$'\t'* ]]; then
            described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
        else
            described+=("${line//:/\\:}")
        fi
    done
    (( $#described )) && _describe -t restante restante described
}

if [[ $funcstack[1] == _restante ]]; then
    _restante "$@"
else
    compdef _restante restante
fi
