"""The gateway's configuration for the compatibility table: every family of targets at one simulator."""

import table

APPS = {"suite": {}, "elsewhere": {"regions": ["eu"]}}


def app_key(name):
    """The key of an app: the tests own it, so it need not be secret."""
    return f"wh-compat-{name}-0123456789abcdef"


def provider(target, sim_url):
    row = table.TARGETS[target]
    # The simulator takes any key; the region is what the app `elsewhere` may not use.
    return {"kind": row.kind, "base_url": sim_url + row.base, "keys": [f"sk-{target}"], "region": "us"}


def build(gateway_port, admin_port, sim_url):
    """The whole file, as data. JSON is YAML, so it can be written as JSON."""
    # There has to be somebody in the region of the app that may not use the others.
    providers = {"elsewhere": provider("openai", sim_url) | {"region": "eu"}}
    models = {}
    for target in table.TARGETS:
        providers[target] = provider(target, sim_url)
        for name in table.MODELS:
            at = {"provider": target, "model": table.model_at(target, name)}
            models[f"{target}-{name}"] = {"targets": [at]}
    for client, target, scenario in table.cells():
        if scenario in table.FAULTS:
            name = table.model(client, target, scenario)
            providers[name] = provider(target, sim_url)
            at = {"provider": name, "model": table.FAULTS[scenario]}
            # One try: what the client is told is asked here, and not what is done before that.
            models[name] = {"targets": [at], "attempts_max": 1, "timeouts": {"hold": "0s"}}
    return {
        "version": 1,
        "listen": {"gateway": f"127.0.0.1:{gateway_port}", "admin": f"127.0.0.1:{admin_port}"},
        "server": {"drain_min": "0s", "drain_max": "1s"},
        "providers": providers,
        "models": models,
        "apps": {name: {"keys": [app_key(name)]} | settings for name, settings in APPS.items()},
    }
