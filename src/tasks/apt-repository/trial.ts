/** Where the scratch machine has a vendor's repository of its own. */
export const trialRepository = "/srv/vendor/debian";

/** Signed by the key of the example. */
const inRelease = `
-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

Suite: trixie
Date: Wed, 01 Jan 2025 00:00:00 UTC
Architectures: amd64
Components: stable
SHA256:
 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 stable/binary-amd64/Packages
-----BEGIN PGP SIGNATURE-----

iHUEARYKAB0WIQT3nEM4kcP5vHpbAh6KXKWRUnGXywUCZ3SFgAAKCRCKXKWRUnGX
y0MsAPsEDE+B2mB4YaiIos/IsX3ItECu3K7FCtZKzqTVhvjhtgEA94R3HFCsPJv9
6pHWGszRbedoAtXKEkNAd1r4qYtKeAs=
=rL+w
-----END PGP SIGNATURE-----
`.trimStart();

const release = `${trialRepository}/dists/trixie`;

/** A repository without packages, as a spec would have it. */
export const trialGiven = [
  { directory: { path: `${release}/stable/binary-amd64` } },
  { file: { path: `${release}/InRelease`, content: inRelease } },
  { file: { path: `${release}/stable/binary-amd64/Packages`, content: "" } },
];
