import type { FetchAction, RunAction } from "../core/task.ts";

/** The order by which a machine downloads pinned bytes itself, checks them, and puts them in place by rename. */
export function downloadOrder(
  { path, file, mode = "0644", owner = "root", group = "root" }: FetchAction,
  urls: readonly string[],
): RunAction {
  const argv = [
    "sh",
    "-c",
    script,
    "provision-download",
    path,
    file.sha256,
    mode,
    `${owner}:${group}`,
  ] as const;
  return {
    kind: "run",
    detached: true,
    // By standard input: a URL may hold a password, and everybody sees what is on a command line.
    command: { argv: [...argv, file.name], stdin: urls.map((url) => `${url}\n`).join("") },
  };
}

/** `provision-download PATH SHA256 MODE OWNER:GROUP NAME`, with the places to ask on standard input. */
const script = `
set -u
umask 077
path=$1 wanted=$2 mode=$3 owner=$4 name=$5 reasons=
temp=$(mktemp "\${path%/*}/.provision.XXXXXXXXXX") || exit 1
trap 'rm -f "$temp"' EXIT
trap 'exit 1' HUP INT TERM

# A URL to the file "$temp". curl follows no redirect from https to anything else; the digest decides in any case.
download() {
  if command -v curl >/dev/null; then
    redirects=http,https
    case $1 in https:*) redirects=https ;; esac
    printf 'url = "%s"\\n' "$1" | curl -K - -q --fail --silent --show-error --location --max-redirs 10 \\
      --proto =http,https --proto-redir "=$redirects" --connect-timeout 20 --speed-limit 1 --speed-time 30 \\
      --retry 3 --output "$temp"
  elif command -v wget >/dev/null; then
    wget -q -T 30 -O "$temp" "$1" </dev/null
  elif command -v python3 >/dev/null; then
    printf %s "$1" | python3 -c '
import shutil, sys, urllib.request
url, path = sys.stdin.read(), sys.argv[1]
with urllib.request.urlopen(url, timeout=30) as answer, open(path, "wb") as file:
    shutil.copyfileobj(answer, file)
' "$temp"
  else
    echo "Cannot download here: there must be curl, wget or python3; add one to the spec, or leave out --direct" >&2
    exit 1
  fi
}

while IFS= read -r url; do
  shown=$(printf %s "$url" | sed 's,//[^/@]*@,//,')
  echo "Downloading $name from $shown"
  if said=$(download "$url" 2>&1); then
    found=$(sha256sum <"$temp") && found=\${found%% *}
    if [ "$found" = "$wanted" ]; then
      chown -- "$owner" "$temp" && chmod -- "$mode" "$temp" && mv -fT -- "$temp" "$path" || exit 1
      exit 0
    fi
    said="its SHA-256 must be $wanted, is $found"
  fi
  reasons="$reasons
$shown: $said"
done
echo "Cannot download $name:$reasons" >&2
exit 1
`;
