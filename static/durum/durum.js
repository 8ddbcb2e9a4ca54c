// The frame of every page: toasts, errors of htmx, confirmation, dialogs, keyboard, the bar at the top.
(() => {
  const texts = JSON.parse(document.getElementById("texts")?.textContent || "{}");
  const byId = (id) => document.getElementById(id);

  // --- toasts ---
  const AUTOHIDE_MS = 6000;
  const watchToasts = (root) => {
    for (const toast of root.querySelectorAll("[data-toast][data-autohide]:not([data-watched])")) {
      toast.dataset.watched = "";
      setTimeout(() => toast.remove(), AUTOHIDE_MS);
    }
  };
  const toast = (text) => {
    const shown = [...document.querySelectorAll("#toasts [data-text]")];
    if (shown.some((element) => element.textContent === text)) return;
    const copy = byId("toast-template").content.cloneNode(true);
    copy.querySelector("[data-text]").textContent = text;
    byId("toasts").append(copy);
  };

  // --- htmx: token out, errors in ---
  document.addEventListener("htmx:configRequest", (event) => {
    const { verb, headers, parameters } = event.detail;
    if (verb !== "get") {
      headers["X-CSRFToken"] = document.querySelector("meta[name=csrf-token]").content;
      return;
    }
    // Empty filters stay out of the address.
    for (const name of [...new Set(parameters.keys?.() ?? Object.keys(parameters))]) {
      if (parameters[name] === "") delete parameters[name];
    }
  });
  const sentenceOf = (xhr) => {
    const type = xhr.getResponseHeader("Content-Type") || "";
    if (type.startsWith("text/plain")) return xhr.responseText.slice(0, 500);
    if (type.includes("json")) {
      try {
        const answer = JSON.parse(xhr.responseText);
        return answer.message || answer.detail;
      } catch {
        return null;
      }
    }
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    return page.querySelector("[data-error-sentence]")?.dataset.errorSentence;
  };
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    toast(sentenceOf(xhr) || (xhr.status === 401 ? texts.signed_out : texts.failed));
  });
  document.addEventListener("htmx:sendError", () => toast(texts.offline));
  document.addEventListener("htmx:timeout", () => toast(texts.timeout));

  // --- the bar at the top: only for requests a person waits for ---
  let underway = 0;
  const isPolling = (event) => /every /.test(event.detail.elt?.getAttribute?.("hx-trigger") || "");
  const busy = (step) => {
    underway = Math.max(0, underway + step);
    byId("progress").classList.toggle("is-busy", underway > 0);
  };
  document.addEventListener("htmx:beforeRequest", (event) => isPolling(event) || busy(1));
  document.addEventListener("htmx:afterRequest", (event) => isPolling(event) || busy(-1));

  // --- dialogs ---
  document.addEventListener("htmx:afterSwap", (event) => {
    watchToasts(document);
    const modal = byId("modal");
    // An answer that was out-of-band alone leaves nothing to show: it closed the dialog, and it stays closed.
    const filled = byId("modal-body")?.childElementCount;
    if (event.detail.target?.id === "modal-body" && filled && !modal.open) modal.showModal();
  });
  document.addEventListener("modal:close", () => byId("modal").close());
  document.addEventListener("close", (event) => event.target.id === "modal" && byId("modal-body").replaceChildren(), true);

  const ask = ({ text, title, button, tone }) =>
    new Promise((resolve) => {
      const dialog = byId("confirm");
      const yes = byId("confirm-yes");
      byId("confirm-title").textContent = title || texts.confirm;
      byId("confirm-text").textContent = text;
      yes.textContent = button || yes.dataset.default;
      yes.className = `btn ms-auto btn-${tone || "primary"}`;
      let answer = false;
      const agree = () => {
        answer = true;
        dialog.close();
      };
      yes.addEventListener("click", agree, { once: true });
      dialog.addEventListener(
        "close",
        () => {
          yes.removeEventListener("click", agree);
          resolve(answer);
        },
        { once: true },
      );
      dialog.showModal();
    });
  const questionOf = (element, text) => ({
    text,
    title: element.dataset.confirmTitle,
    button: element.dataset.confirmButton,
    tone: element.dataset.confirmTone,
  });
  document.addEventListener("htmx:confirm", async (event) => {
    const { question, elt, issueRequest } = event.detail;
    if (!question) return;
    event.preventDefault();
    if (await ask(questionOf(elt, question))) issueRequest(true);
  });
  // A button may ask for itself: <button data-confirm> beats its form's own question.
  document.addEventListener(
    "submit",
    async (event) => {
      const form = event.target;
      const source = event.submitter?.dataset.confirm ? event.submitter : form;
      const text = source.dataset.confirm;
      if (!text || form.dataset.confirmed !== undefined) {
        delete form.dataset.confirmed;
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!(await ask(questionOf(source, text)))) return;
      form.dataset.confirmed = "";
      form.requestSubmit(event.submitter);
    },
    true,
  );

  document.addEventListener("click", (event) => {
    const found = (selector) => event.target.closest?.(selector);
    if (found("[data-close-toast]")) found("[data-toast]").remove();
    if (found("[data-close-dialog]")) found("dialog").close();
    if (found("[data-open-help]")) {
      event.preventDefault();
      byId("help").showModal();
    }
    if (event.target.matches?.("dialog.durum-dialog")) event.target.close();
  });

  // --- keyboard: "/" searches, "?" helps, "g" then a letter goes ---
  const isTyping = (element) => element?.matches?.("input, textarea, select, [contenteditable]");
  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (going && Date.now() - going < 1500) {
      going = 0;
      const link = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
      if (link || event.key === "h") {
        event.preventDefault();
        window.location.assign(link?.href || "/");
      }
      return;
    }
    going = event.key === "g" ? Date.now() : 0;
    if (event.key === "/") {
      const search = document.querySelector("[data-search]");
      if (!search) return;
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "?") {
      byId("help")?.showModal();
    }
  });

  watchToasts(document);
})();
