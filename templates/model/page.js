// Each image is sent as it is, one after the other, and the answer, which the server has written, stands above those before.
(() => {
  const token = document.currentScript.dataset.token;
  const [place, file, state, answers] = ["place", "file", "state", "answers"].map((id) => document.getElementById(id));

  async function ask(image) {
    state.textContent = `${image.name}: the network is looking …`;
    const query = new URLSearchParams({ name: image.name });
    try {
      const headers = { "X-Token": token, "Content-Type": "application/octet-stream" };
      const answer = await fetch("/answer?" + query, { method: "POST", body: image, headers });
      const added = document.createElement("template");
      added.innerHTML = await answer.text();
      answers.prepend(added.content);
      state.textContent = answer.ok ? `${image.name} is answered.` : `${image.name}: no answer.`;
    } catch {
      state.textContent = `${image.name}: the server has ended, or refused it.`;
    }
  }
  let last = Promise.resolve();
  function askAll(images) {
    for (const image of images) last = last.then(() => ask(image));
  }

  file.addEventListener("change", () => { askAll([...file.files]); file.value = ""; });
  for (const name of ["dragover", "dragleave", "drop"]) {
    addEventListener(name, (event) => {
      event.preventDefault();  // a file that misses the place is not opened in place of this page
      place.classList.toggle("over", name === "dragover");
      if (name === "drop") askAll([...event.dataTransfer.files]);
    });
  }
})();
