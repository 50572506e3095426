// Who are you?
import { login } from "./api.js";
import { h, render } from "./dom.js";
import { failure, field } from "./parts.js";
import { t } from "./text.js";

export function loginScreen(main, entered, anyUser = true) {
  const user = h("input", { type: "text", name: "username", autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false" });
  const password = h("input", { type: "password", name: "password", autocomplete: "current-password", required: true });
  const said = h("div", { class: "said" }), button = h("button", { type: "submit" }, t("log_in"));
  const form = h("form", { class: "login form" }, h("h1", null, "hallsync"), h("p", { class: "sub" }, t("login_note")), anyUser ? null : h("p", { class: "doubt" }, t("no_users"), " ", h("code", null, "hallsync user add NAME --role administrator")), field(t("user"), user), field(t("password"), password), button, said);
  form.onsubmit = async event => {
    event.preventDefault();
    button.disabled = true;
    render(said);
    try {
      await entered(await login(user.value, password.value));
    } catch (error) {
      render(said, failure(error));
      password.value = "";
      password.focus();
    }
    button.disabled = false;
  };
  main.append(form);
  user.focus();
  return { title: t("log_in"), close: () => {} };
}
