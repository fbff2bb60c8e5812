# Completion of restante for bash. `restante completion bash` prints this file.

_restante() {
    local word description
    COMPREPLY=()
    while IFS=$'\t' read -r word description; do
        if [[ $word == :files ]]; then
            compopt -o default 2>/dev/null
            COMPREPLY=()
            return
        fi
        COMPREPLY+=("$word")
    done < <("${1/#\~/$HOME}" --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

complete -F _restante restante
