import { expect, it } from "vitest";

import { consoleLogOf } from "../../src/provisioner/deploy/follow-console.ts";
import { isDeployed } from "../../src/provisioner/deploy/deployed-host.ts";
import { FakeHypervisor, someDomain } from "../support/fake-hypervisor.ts";
import { quietRun } from "../support/quiet-run.ts";

const log = "web-console.log";

function consoleOf(driver: FakeHypervisor): ReturnType<typeof consoleLogOf> {
  const host = someDomain();
  if (!isDeployed(host)) throw new Error("it is no host");
  return consoleLogOf(driver, host);
}

it("gives the last lines, without what a terminal would obey", async () => {
  const driver = new FakeHypervisor();
  driver.texts.set(log, "one\r\n\u001b[31mtwo\u001b[0m\r\n\r\nweb login: ");

  expect(await consoleOf(driver).end(2)).toEqual({ lines: ["two", "web login:"], size: 32 });
  expect(await consoleOf(new FakeHypervisor()).end(2)).toEqual({ lines: [], size: 0 });
});

it("follows it by whole lines, gives a prompt when no more comes, and begins anew with the log", async () => {
  const driver = new FakeHypervisor();
  const stop = new AbortController();
  const heard: string[] = [];
  const states = [
    "old\n",
    "old\nhal",
    "old\nhalf ü\nweb lo",
    "old\nhalf ü\nweb login:",
    "old\nhalf ü\nweb login:",
    "new\n",
  ];
  let at = 0;
  driver.texts.set(log, states[0] ?? "");
  driver.volumes.length = async (_pool, name) => {
    const text = states[at++];
    if (text === undefined) stop.abort();
    else driver.texts.set(log, text);
    return Buffer.byteLength(driver.texts.get(name) ?? "");
  };

  await consoleOf(driver).follow(
    4,
    (lines) => heard.push(...lines),
    quietRun(stop.signal),
    async () => {},
  );

  expect(heard).toEqual(["half ü", "web login:", "new"]);
});
