/** A repository of the machine's own, with a package in two versions: none of them can be gone tomorrow. */
const repository = "/srv/trial-packages";

const script = `set -e
mkdir -p "$1"
cd "$1"
for version in 1.0 2.0; do
  mkdir -p tree/DEBIAN
  {
    echo 'Package: trial-package'
    echo "Version: $version"
    echo 'Architecture: all'
    echo 'Maintainer: nobody <nobody@example.org>'
    echo 'Description: nothing at all'
  } >tree/DEBIAN/control
  file=trial-package_$version.deb
  dpkg-deb --root-owner-group --build tree "$file" >/dev/null
  {
    cat tree/DEBIAN/control
    echo "Filename: ./$file"
    echo "Size: $(stat -c %s "$file")"
    echo "SHA256: $(sha256sum "$file" | cut -d ' ' -f 1)"
    echo
  } >>Packages
done
echo "deb [trusted=yes] file:$1 ./" >/etc/apt/sources.list.d/trial-packages.list
`;

/** What a spec would say to have it. */
export const trialRepository = {
  command: {
    name: "trial-packages",
    argv: ["sh", "-c", script, "repository", repository],
    creates: "/etc/apt/sources.list.d/trial-packages.list",
  },
};
