# Completion of restante for fish. `restante completion fish` prints this file.

function __restante_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (command $words[1] --complete $words[2..-1] "$current" 2>/dev/null)
    if test "$lines[1]" = :files
        __fish_complete_path "$current"
    else if test (count $lines) -gt 0
        printf '%s\n' $lines
    end
end

complete --command restante --no-files --arguments '(__restante_complete)'
