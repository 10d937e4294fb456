"""``counterseal completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

EPILOG = """\b
Examples:
  counterseal completion bash > ~/.local/share/bash-completion/completions/counterseal
  counterseal completion zsh > ~/.zfunc/_counterseal
  counterseal completion fish > ~/.config/fish/completions/counterseal.fish

Make the directory first where there is none (mkdir -p), and open a new shell. zsh reads
~/.zfunc when ~/.zshrc has: fpath+=~/.zfunc; autoload -Uz compinit; compinit
"""

BASH = r"""_counterseal_completion() {
    local rest=$COMP_LINE i word trimmed type value head= last=${COMP_WORDS[COMP_CWORD]} inside quotes
    local -a words=()
    # readline breaks words at the : = @ of names and options; what no space parts belongs together
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        trimmed=${rest#"${rest%%[![:space:]]*}"}
        if ((i > 0)) && [[ $trimmed == "$rest" ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
        rest=${trimmed#"$word"}
    done
    word=${words[-1]}
    [[ $word == "$last" ]] || head=${word%"${word##*[:=@]}"}
    # readline puts a name behind the last quote: nothing is offered unless that one opens the word and is open
    case $last in
        \'*) inside=${last:1} quotes=\' head=${word%"$last"} ;;
        \"*) inside=${last:1} inside=${inside//\\?/} quotes=\" head=${word%"$last"} ;;
        *) inside=${last//\\?/} quotes=\'\" ;;
    esac
    trimmed=${word%"$last"}
    [[ $inside == *["$quotes"]* || ${trimmed//\\?/} == *[\'\"]* ]] && return
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                case $last in  # what would close the quotes, or bash expands in them whatever is before it
                    \'*) [[ $value == *\'* ]] && continue ;;
                    \"*)
                        [[ $value == *[\"!]* ]] && continue
                        value=${value//\\/'\\'} value=${value//\$/'\$'} value=${value//\`/'\`'}
                        ;;
                    *) printf -v value %q "$value" ;;
                esac
                COMPREPLY+=("${value#"$head"}")
                ;;
        esac
    done < <(IFS=$'\n'; COMP_WORDS="${words[*]}" COMP_CWORD=$((${#words[@]} - 1)) \
        _COUNTERSEAL_COMPLETE=bash_complete "$1")
}
complete -o nosort -F _counterseal_completion counterseal"""
"""As click's, but that names keep their spaces, quotes and wildcards, and are completed after ``:`` and ``@`` too."""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell."""
    if shell == "bash":
        click.echo(BASH)
        return
    from counterseal.cli.group import main  # noqa: PLC0415 - the group imports its commands

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - these shells are click's own
    click.echo(kind(main, {}, "counterseal", "_COUNTERSEAL_COMPLETE").source())
