# fish completion for thin-snap(8). The program itself knows what may follow.

function __thin_snap_offers
    set -l words (commandline -opc)
    thin-snap __complete -- $words[2..] (commandline -ct) 2>/dev/null
end

function __thin_snap_words
    string match -v ':*' -- (__thin_snap_offers)
end

function __thin_snap_paths
    string match -q -r '^:(files|dirs|program)' -- (__thin_snap_offers)
end

complete -c thin-snap -f -a '(__thin_snap_words)'
complete -c thin-snap -n __thin_snap_paths -F
