# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_omemoscope_global_optspecs
    string join \n account= device= format= color= v/verbose q/quiet h/help V/version
end

function __fish_omemoscope_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_omemoscope_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_omemoscope_using_subcommand
    set -l cmd (__fish_omemoscope_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c omemoscope -n "__fish_omemoscope_needs_command" -l account -d 'Our own address, where the store does not know it, or which of its accounts' -r
complete -c omemoscope -n "__fish_omemoscope_needs_command" -l device -d 'Our own device id, where several accounts or no store would leave it open' -r
complete -c omemoscope -n "__fish_omemoscope_needs_command" -l format -d 'How to show the result' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c omemoscope -n "__fish_omemoscope_needs_command" -l color -d 'When to use colours; the variable `NO_COLOR` turns them off too' -r -f -a "auto\t'On a terminal only'
always\t'Always'
never\t'Never'"
complete -c omemoscope -n "__fish_omemoscope_needs_command" -s v -l verbose -d 'Show more: reasons, places, harmless messages'
complete -c omemoscope -n "__fish_omemoscope_needs_command" -s q -l quiet -d 'No progress and no warnings on standard error'
complete -c omemoscope -n "__fish_omemoscope_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c omemoscope -n "__fish_omemoscope_needs_command" -s V -l version -d 'Print version'
complete -c omemoscope -n "__fish_omemoscope_needs_command" -f -a "stores" -d 'Find the stores of known clients on this machine or in a folder'
complete -c omemoscope -n "__fish_omemoscope_needs_command" -f -a "inspect" -d 'Say what a file is: a store, a capture, a key, a fingerprint'
complete -c omemoscope -n "__fish_omemoscope_needs_command" -f -a "devices" -d 'List the devices a store knows: keys, trust, activity'
complete -c omemoscope -n "__fish_omemoscope_needs_command" -f -a "sessions" -d 'Show the state of each session: chains, counters, skipped keys'
complete -c omemoscope -n "__fish_omemoscope_needs_command" -f -a "stanza" -d 'Decode OMEMO elements down to their last field, without keys'
complete -c omemoscope -n "__fish_omemoscope_needs_command" -f -a "decrypt" -d 'Decrypt messages with the keys of a store'
complete -c omemoscope -n "__fish_omemoscope_needs_command" -f -a "diagnose" -d 'Say why messages did not decrypt, what proves it and what to do'
complete -c omemoscope -n "__fish_omemoscope_needs_command" -f -a "explain" -d 'Explain a code of a diagnosis, or a word of the device audit'
complete -c omemoscope -n "__fish_omemoscope_needs_command" -f -a "generate" -d 'Write man pages or shell completions into a folder'
complete -c omemoscope -n "__fish_omemoscope_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stores" -l home -d 'Search this whole folder instead of the default places' -r -F
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stores" -l password-file -d 'File with passwords for encrypted backups, one a line; `-` is standard input' -r -F
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stores" -l account -d 'Our own address, where the store does not know it, or which of its accounts' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stores" -l device -d 'Our own device id, where several accounts or no store would leave it open' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stores" -l format -d 'How to show the result' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stores" -l color -d 'When to use colours; the variable `NO_COLOR` turns them off too' -r -f -a "auto\t'On a terminal only'
always\t'Always'
never\t'Never'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stores" -s v -l verbose -d 'Show more: reasons, places, harmless messages'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stores" -s q -l quiet -d 'No progress and no warnings on standard error'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stores" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stores" -s V -l version -d 'Print version'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand inspect" -l password-file -d 'File with passwords for encrypted backups, one a line; `-` is standard input' -r -F
complete -c omemoscope -n "__fish_omemoscope_using_subcommand inspect" -l account -d 'Our own address, where the store does not know it, or which of its accounts' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand inspect" -l device -d 'Our own device id, where several accounts or no store would leave it open' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand inspect" -l format -d 'How to show the result' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand inspect" -l color -d 'When to use colours; the variable `NO_COLOR` turns them off too' -r -f -a "auto\t'On a terminal only'
always\t'Always'
never\t'Never'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand inspect" -s v -l verbose -d 'Show more: reasons, places, harmless messages'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand inspect" -s q -l quiet -d 'No progress and no warnings on standard error'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand inspect" -s V -l version -d 'Print version'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand devices" -s s -l store -d 'A client\'s store: a file or folder; repeat it for copies taken over time, the newest last' -r -F
complete -c omemoscope -n "__fish_omemoscope_using_subcommand devices" -l password-file -d 'File with passwords for encrypted backups, one a line; `-` is standard input' -r -F
complete -c omemoscope -n "__fish_omemoscope_using_subcommand devices" -l account -d 'Our own address, where the store does not know it, or which of its accounts' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand devices" -l device -d 'Our own device id, where several accounts or no store would leave it open' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand devices" -l format -d 'How to show the result' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand devices" -l color -d 'When to use colours; the variable `NO_COLOR` turns them off too' -r -f -a "auto\t'On a terminal only'
always\t'Always'
never\t'Never'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand devices" -l upgrade -d 'Say who stays reachable if the old variant of OMEMO is left today'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand devices" -s v -l verbose -d 'Show more: reasons, places, harmless messages'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand devices" -s q -l quiet -d 'No progress and no warnings on standard error'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand devices" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand devices" -s V -l version -d 'Print version'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand sessions" -s s -l store -d 'A client\'s store: a file or folder; repeat it for copies taken over time, the newest last' -r -F
complete -c omemoscope -n "__fish_omemoscope_using_subcommand sessions" -l password-file -d 'File with passwords for encrypted backups, one a line; `-` is standard input' -r -F
complete -c omemoscope -n "__fish_omemoscope_using_subcommand sessions" -l account -d 'Our own address, where the store does not know it, or which of its accounts' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand sessions" -l device -d 'Our own device id, where several accounts or no store would leave it open' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand sessions" -l format -d 'How to show the result' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand sessions" -l color -d 'When to use colours; the variable `NO_COLOR` turns them off too' -r -f -a "auto\t'On a terminal only'
always\t'Always'
never\t'Never'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand sessions" -s v -l verbose -d 'Show more: reasons, places, harmless messages'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand sessions" -s q -l quiet -d 'No progress and no warnings on standard error'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand sessions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand sessions" -s V -l version -d 'Print version'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stanza" -s s -l store -d 'The store of the client whose log it is, to check rules that the capture alone cannot tell' -r -F
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stanza" -l password-file -d 'File with passwords for encrypted backups, one a line; `-` is standard input' -r -F
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stanza" -l account -d 'Our own address, where the store does not know it, or which of its accounts' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stanza" -l device -d 'Our own device id, where several accounts or no store would leave it open' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stanza" -l format -d 'How to show the result' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stanza" -l color -d 'When to use colours; the variable `NO_COLOR` turns them off too' -r -f -a "auto\t'On a terminal only'
always\t'Always'
never\t'Never'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stanza" -s v -l verbose -d 'Show more: reasons, places, harmless messages'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stanza" -s q -l quiet -d 'No progress and no warnings on standard error'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stanza" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand stanza" -s V -l version -d 'Print version'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand decrypt" -s s -l store -d 'A client\'s store: a file or folder; repeat it for copies taken over time, the newest last' -r -F
complete -c omemoscope -n "__fish_omemoscope_using_subcommand decrypt" -l password-file -d 'File with passwords for encrypted backups, one a line; `-` is standard input' -r -F
complete -c omemoscope -n "__fish_omemoscope_using_subcommand decrypt" -l account -d 'Our own address, where the store does not know it, or which of its accounts' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand decrypt" -l device -d 'Our own device id, where several accounts or no store would leave it open' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand decrypt" -l format -d 'How to show the result' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand decrypt" -l color -d 'When to use colours; the variable `NO_COLOR` turns them off too' -r -f -a "auto\t'On a terminal only'
always\t'Always'
never\t'Never'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand decrypt" -s v -l verbose -d 'Show more: reasons, places, harmless messages'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand decrypt" -s q -l quiet -d 'No progress and no warnings on standard error'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand decrypt" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand decrypt" -s V -l version -d 'Print version'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand diagnose" -s s -l store -d 'A client\'s store: a file or folder; repeat it for copies taken over time, the newest last' -r -F
complete -c omemoscope -n "__fish_omemoscope_using_subcommand diagnose" -s p -l peer -d 'The other end\'s store; it settles much that one end leaves open' -r -F
complete -c omemoscope -n "__fish_omemoscope_using_subcommand diagnose" -l password-file -d 'File with passwords for encrypted backups, one a line; `-` is standard input' -r -F
complete -c omemoscope -n "__fish_omemoscope_using_subcommand diagnose" -l account -d 'Our own address, where the store does not know it, or which of its accounts' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand diagnose" -l device -d 'Our own device id, where several accounts or no store would leave it open' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand diagnose" -l format -d 'How to show the result' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand diagnose" -l color -d 'When to use colours; the variable `NO_COLOR` turns them off too' -r -f -a "auto\t'On a terminal only'
always\t'Always'
never\t'Never'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand diagnose" -l show-plaintext -d 'Show what the messages say, too'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand diagnose" -l snapshot -d 'Take the newest store for an early copy, not for what the client works with now'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand diagnose" -s v -l verbose -d 'Show more: reasons, places, harmless messages'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand diagnose" -s q -l quiet -d 'No progress and no warnings on standard error'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand diagnose" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand diagnose" -s V -l version -d 'Print version'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand explain" -l account -d 'Our own address, where the store does not know it, or which of its accounts' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand explain" -l device -d 'Our own device id, where several accounts or no store would leave it open' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand explain" -l format -d 'How to show the result' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand explain" -l color -d 'When to use colours; the variable `NO_COLOR` turns them off too' -r -f -a "auto\t'On a terminal only'
always\t'Always'
never\t'Never'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand explain" -s v -l verbose -d 'Show more: reasons, places, harmless messages'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand explain" -s q -l quiet -d 'No progress and no warnings on standard error'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand explain" -s V -l version -d 'Print version'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand generate" -l account -d 'Our own address, where the store does not know it, or which of its accounts' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand generate" -l device -d 'Our own device id, where several accounts or no store would leave it open' -r
complete -c omemoscope -n "__fish_omemoscope_using_subcommand generate" -l format -d 'How to show the result' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand generate" -l color -d 'When to use colours; the variable `NO_COLOR` turns them off too' -r -f -a "auto\t'On a terminal only'
always\t'Always'
never\t'Never'"
complete -c omemoscope -n "__fish_omemoscope_using_subcommand generate" -s v -l verbose -d 'Show more: reasons, places, harmless messages'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand generate" -s q -l quiet -d 'No progress and no warnings on standard error'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand generate" -s V -l version -d 'Print version'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand help; and not __fish_seen_subcommand_from stores inspect devices sessions stanza decrypt diagnose explain generate help" -f -a "stores" -d 'Find the stores of known clients on this machine or in a folder'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand help; and not __fish_seen_subcommand_from stores inspect devices sessions stanza decrypt diagnose explain generate help" -f -a "inspect" -d 'Say what a file is: a store, a capture, a key, a fingerprint'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand help; and not __fish_seen_subcommand_from stores inspect devices sessions stanza decrypt diagnose explain generate help" -f -a "devices" -d 'List the devices a store knows: keys, trust, activity'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand help; and not __fish_seen_subcommand_from stores inspect devices sessions stanza decrypt diagnose explain generate help" -f -a "sessions" -d 'Show the state of each session: chains, counters, skipped keys'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand help; and not __fish_seen_subcommand_from stores inspect devices sessions stanza decrypt diagnose explain generate help" -f -a "stanza" -d 'Decode OMEMO elements down to their last field, without keys'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand help; and not __fish_seen_subcommand_from stores inspect devices sessions stanza decrypt diagnose explain generate help" -f -a "decrypt" -d 'Decrypt messages with the keys of a store'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand help; and not __fish_seen_subcommand_from stores inspect devices sessions stanza decrypt diagnose explain generate help" -f -a "diagnose" -d 'Say why messages did not decrypt, what proves it and what to do'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand help; and not __fish_seen_subcommand_from stores inspect devices sessions stanza decrypt diagnose explain generate help" -f -a "explain" -d 'Explain a code of a diagnosis, or a word of the device audit'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand help; and not __fish_seen_subcommand_from stores inspect devices sessions stanza decrypt diagnose explain generate help" -f -a "generate" -d 'Write man pages or shell completions into a folder'
complete -c omemoscope -n "__fish_omemoscope_using_subcommand help; and not __fish_seen_subcommand_from stores inspect devices sessions stanza decrypt diagnose explain generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
