/**
 * Shell function that says what keeps `$root` from being read-only: files open for writing, and files that were
 * replaced or removed and are still in use (a program that runs on after its upgrade). No fuser, no lsof: images
 * need not have them. Mount ids tell which open file lies on root; every process has its own list of them.
 */
export const holdersScript = `
holders() {
  {
    find /proc/[0-9]*/fd -mindepth 1 -printf '%p %l\\n'
    grep -H ' (deleted)$' /proc/[0-9]*/maps
  } 2>/dev/null | awk -v root="$root" '
    function mounts(pid,   file, line, f) {
      if (pid in seen) return
      seen[pid] = 1
      file = "/proc/" pid "/mountinfo"
      while ((getline line < file) > 0) { split(line, f, " "); device[pid, f[1]] = f[3] }
      close(file)
    }
    function first(file,   line) { line = ""; getline line < file; close(file); return line }
    function unit(pid,   file, group, found) {
      file = "/proc/" pid "/cgroup"
      while ((getline group < file) > 0) if (sub(/.*\\//, "", group) && group ~ /\\.(service|scope)$/) found = group ": "
      close(file)
      return found
    }
    function tell(pid, how, path) {
      if ((pid, path) in told || count >= 20) return
      told[pid, path] = 1
      count++
      print unit(pid) first("/proc/" pid "/comm") " (process " pid ") " how " " path
    }
    BEGIN {
      while ((getline line < "/proc/self/mountinfo") > 0) { split(line, f, " "); if (f[5] == root) ours = f[3] }
      split(ours, n, ":")
      hex = sprintf("%02x:%02x", n[1], n[2])
    }
    $1 ~ /\\/fd\\/[0-9]+$/ {
      if ($2 !~ /^\\//) next
      split($1, p, "/")
      pid = p[3]
      flags = mount = ""
      info = "/proc/" pid "/fdinfo/" p[5]
      while ((getline line < info) > 0) {
        split(line, f, " ")
        if (f[1] == "flags:") flags = f[2]
        if (f[1] == "mnt_id:") mount = f[2]
      }
      close(info)
      mounts(pid)
      if (device[pid, mount] != ours) next
      path = $0
      sub(/^[^ ]+ /, "", path)
      gone = sub(/ \\(deleted\\)$/, "", path)
      # The access mode is the last octal digit: 1 and 2 write.
      if (flags ~ /[1256]$/) tell(pid, "writes", path)
      else if (gone) tell(pid, "still uses", path ", which was replaced or removed")
      next
    }
    $4 == hex {
      split($1, p, "/")
      path = $0
      # Not every awk knows {5}.
      for (field = 1; field <= 5; field++) sub(/^[^ ]+ +/, "", path)
      sub(/ \\(deleted\\)$/, "", path)
      tell(p[3], "still uses", path ", which was replaced or removed")
    }'
}
`;
