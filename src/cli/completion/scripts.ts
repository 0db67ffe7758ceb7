/** The shells that the command completes in. */
export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** The hidden first argument with which the scripts ask for candidates. The words of the command line follow. */
export const completeArgument = "__complete";

const ask = `k8s-cri-client ${completeArgument}`;

/**
 * Readline splits words at `:` and `=`, and replaces only what follows. The words of the line are therefore read without it, and
 * the candidates are shortened.
 */
const bash = `# bash completion of k8s-cri-client: source <(k8s-cri-client completion bash)
_k8s_cri_client() {
  local line="\${COMP_LINE:0:COMP_POINT}" words current candidate
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current="\${words[\${#words[@]} - 1]}"
  local kept="\${current%"\${current##*[:=]}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    COMPREPLY+=("$(printf '%q' "\${candidate#"$kept"}")")
  done < <(${ask} "\${words[@]:1}" 2>/dev/null)
  [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == */ ]] && compopt -o nospace
  return 0
}
complete -o default -F _k8s_cri_client k8s-cri-client
`;

const zsh = `#compdef k8s-cri-client
# zsh completion of k8s-cri-client: source <(k8s-cri-client completion zsh)
_k8s_cri_client() {
  local -a candidates
  local line
  while IFS= read -r line; do
    candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(${ask} "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#candidates} )); then
    _describe 'k8s-cri-client' candidates
  else
    _files
  fi
}
compdef _k8s_cri_client k8s-cri-client
`;

const fish = `# fish completion of k8s-cri-client: k8s-cri-client completion fish | source
function __k8s_cri_client_complete
    set -l words (commandline -opc)
    set -l candidates (${ask} $words[2..] (commandline -ct) 2>/dev/null)
    if test (count $candidates) -gt 0
        printf '%s\\n' $candidates
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c k8s-cri-client -f -a '(__k8s_cri_client_complete)'
`;

/** The scripts that a shell evaluates. */
export const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
