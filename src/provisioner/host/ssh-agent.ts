import ssh2 from "ssh2";
import type { AgentAuthMethod, IdentityCallback, ParsedKey, SignCallback, SigningRequestOptions } from "ssh2";

/** An agent that does not answer must not hold up a login that may not need it. */
const answerWithinMs = 5000;

/** The keys an agent holds; none when there is no agent, or a dead one. */
export function agentKeys(socket: string | undefined): Promise<readonly ParsedKey[]> {
  if (socket === undefined) return Promise.resolve([]);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve([]), answerWithinMs);
    ssh2.createAgent(socket).getIdentities((error, keys) => {
      clearTimeout(timer);
      resolve(error || !keys ? [] : (keys as readonly ParsedKey[]));
    });
  });
}

/** The keys an agent holds, as lines of authorized_keys. */
export async function agentKeyLines(socket: string | undefined): Promise<readonly string[]> {
  return (await agentKeys(socket)).map((key) =>
    `${key.type} ${key.getPublicSSH().toString("base64")} ${key.comment.replaceAll(/\p{Cc}/gu, "")}`.trim(),
  );
}

/** Logs in with one key of an agent. By itself ssh2 offers all of them, and the server hangs up at the sixth. */
export function agentMethod(username: string, socket: string, key: ParsedKey): AgentAuthMethod {
  return { type: "agent", username, agent: new OneKey(socket, key) };
}

class OneKey extends ssh2.BaseAgent<ParsedKey> {
  readonly #socket: string;
  readonly #key: ParsedKey;

  constructor(socket: string, key: ParsedKey) {
    super();
    this.#socket = socket;
    this.#key = key;
  }

  override getIdentities(done: IdentityCallback<ParsedKey>): void {
    done(undefined, [this.#key]);
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    done?: SignCallback,
  ): void {
    const agent = ssh2.createAgent(this.#socket);
    if (typeof options === "function") agent.sign(key, data, options);
    else agent.sign(key, data, options, done);
  }
}
