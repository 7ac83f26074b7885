// Starts `geoflow lsp` and connects it to the editor.
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

function start() {
  const settings = vscode.workspace.getConfiguration("geoflow");
  const [command, ...args] = settings.get("command");
  client = new LanguageClient(
    "geoflow",
    "geoflow",
    { command, args },
    {
      documentSelector: [{ language: "geo" }],
      initializationOptions: { checkOnSave: settings.get("checkOnSave") },
    },
  );
  return client.start().catch((error) => {
    vscode.window.showErrorMessage(
      `geoflow: \`${[command, ...args].join(" ")}\` does not start (${error.message}). ` +
        "Install it with `pip install 'geoflow[lsp]'`, or set `geoflow.command`.",
    );
  });
}

async function stop() {
  const running = client;
  client = undefined;
  if (running?.isRunning()) await running.stop();
}

async function activate(context) {
  const restart = async () => {
    await stop();
    await start();
  };
  context.subscriptions.push(
    vscode.commands.registerCommand("geoflow.restart", restart),
    vscode.workspace.onDidChangeConfiguration((change) =>
      change.affectsConfiguration("geoflow") ? restart() : undefined,
    ),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
