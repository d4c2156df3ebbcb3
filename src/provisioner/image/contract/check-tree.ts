import type { ImageTree } from "../image-tree.ts";
import type { Assertion } from "./clause.ts";
import { type Claims, promised } from "./contract.ts";

/** Holds an image's files to the contract. */
export async function checkTree(tree: ImageTree, claims: Claims): Promise<readonly Assertion[]> {
  const assertions = promised(claims).map(
    async ({ id, what, files }): Promise<Assertion | undefined> =>
      files && { promise: id, what, against: await files(tree) },
  );
  return (await Promise.all(assertions)).filter((each) => each !== undefined);
}
