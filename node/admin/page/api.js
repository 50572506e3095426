// What the page asks of its node.  A failure is an ApiError with a sentence in both languages.
import { language, t } from "./text.js";

export class ApiError extends Error {
  constructor(status, body) {
    super(body?.[`text_${language()}`] ?? body?.text_en ?? t("failed", { status }));
    this.status = status;
    this.code = body?.error;
    this.body = body;
  }
}

const ANSWER_MS = 30000; // nobody waits for ever: the node itself is asked for less

let csrf = "";
let loggedOut = () => {};

export const onLoggedOut = handler => { loggedOut = handler; };

async function answer(response, expected) {
  let body = null;
  try {
    body = await response.json();
  } catch {
    body = null; // an answer that is no JSON has only its status
  }
  if (response.ok && body !== null) return body;
  if (response.status === 401 && !expected) loggedOut();
  throw new ApiError(response.status, body);
}

async function reach(path, options) {
  try {
    return await fetch(path, { ...options, signal: AbortSignal.timeout(ANSWER_MS) });
  } catch {
    throw new ApiError(0, { error: "unreachable", text_en: t("unreachable"), text_zh: t("unreachable") });
  }
}

export async function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = given.length ? `?${new URLSearchParams(given)}` : "";
  return answer(await reach(`api/${path}${search}`, { headers: { Accept: "application/json" } }), path === "session");
}

export async function post(path, body = {}) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
  return answer(await reach(`api/${path}`, { method: "POST", headers, body: JSON.stringify(body) }), path === "login");
}

function take(session) {
  csrf = session.csrf;
  return session;
}

export const session = async () => take(await get("session"));
export const login = async (user, password) => take(await post("login", { user, password }));
export const logout = () => post("logout");
