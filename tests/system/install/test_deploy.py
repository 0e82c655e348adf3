"""deploy/: as far as it can be tried without an account."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from horizon import TOP

DEPLOY = TOP / "deploy"
TERRAFORM = DEPLOY / "terraform"
RULES = DEPLOY / "prometheus" / "horizond.rules.yml"

needs_terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="no terraform here")
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here")


def terraform(folder: Path, *args: str, stdin: str = "") -> str:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "CHECKPOINT_DISABLE": "1"}
    done = subprocess.run(["terraform", *args], cwd=folder, input=stdin, capture_output=True, text=True,
                          env=env, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_terraform
def test_terraform_reads_it_and_would_not_write_it_otherwise(tmp_path):
    shutil.copytree(TERRAFORM, tmp_path / "t")
    assert terraform(tmp_path / "t", "fmt", "-check", "-diff", "-recursive") == ""


@needs_terraform
def test_user_data_is_a_script_that_writes_the_settings(tmp_path):
    shutil.copy(TERRAFORM / "user_data.sh.tftpl", tmp_path)
    settings = 'listen = [ "10.0.0.4" ]; # it\'s ours\n'
    text = base64.b64encode(settings.encode()).decode()
    asked = (f'jsonencode(templatefile("user_data.sh.tftpl", {{install = "true", horizond_conf = "{text}", '
             'records_conf = ""}))')
    script = json.loads(json.loads(terraform(tmp_path, "console", stdin=asked + "\n")))
    made = tmp_path / "user_data.sh"
    made.write_text(script)
    subprocess.run(["sh", "-n", made], check=True)
    line = next(line for line in script.splitlines() if "horizond.conf" in line and "base64" in line)
    written = subprocess.run(["sh", "-c", line.split(">")[0]], capture_output=True, text=True, check=True)
    assert written.stdout == settings
    units = re.findall(r"[\w-]+\.(?:service|timer)", script)
    assert units and all((TOP / "systemd" / unit).is_file() for unit in units)


def test_every_variable_is_explained_and_used():
    texts = {path.name: path.read_text() for path in TERRAFORM.glob("*.tf")}
    body = "\n".join(text for name, text in texts.items() if name != "variables.tf")
    blocks = re.findall(r'^variable "(\w+)" \{(.*?)^\}', texts["variables.tf"], re.M | re.S)
    assert len(blocks) > 10
    for name, block in blocks:
        assert re.search(r'description = "[A-Z].{15,}\."', block), name
        assert f"var.{name}" in body, name
    known = {name for name, _ in blocks}
    assert set(re.findall(r"var\.(\w+)", body)) <= known
    example = (TERRAFORM / "example.tfvars").read_text()
    assert set(re.findall(r"^(\w+) +=", example, re.M)) <= known
    must = {name for name, block in blocks if "default" not in block}
    assert must <= set(re.findall(r"^(\w+) +=", example, re.M))


def test_what_is_named_is_made():
    """References to resources, data and locals lead somewhere: what validate would say without a provider."""
    body = "\n".join(path.read_text() for path in TERRAFORM.glob("*.tf"))
    made = set(re.findall(r'^(?:resource) "(\w+)" "(\w+)"', body, re.M))
    data = set(re.findall(r'^data "(\w+)" "(\w+)"', body, re.M))
    inner = set(re.findall(r"^  (\w+) += ", "\n".join(re.findall(r"^locals \{(.*?)^\}", body, re.M | re.S)), re.M))
    assert set(re.findall(r"(?<!data\.)\b(aws_\w+)\.(\w+)", body)) <= made
    assert set(re.findall(r"data\.(aws_\w+)\.(\w+)", body)) <= data
    assert set(re.findall(r"local\.(\w+)", body)) <= inner


def test_alarms_are_those_of_the_program():
    """Otherwise each would find the other's at fault."""
    ours = (TOP / "lib" / "records" / "alarm.c").read_text()
    theirs = (TERRAFORM / "alarms.tf").read_text()
    fields = {"alarm_description", "metric_name", "statistic", "comparison_operator", "treat_missing_data"}
    values = re.findall(r'^  (\w+) += "([^"$]+)"$', theirs, re.M)
    assert {name for name, _ in values} >= fields
    header = (TOP / "lib" / "records" / "alarm.h").read_text()
    for name, value in values:
        if name in fields:
            assert f'"{value}"' in ours or f'"{value}"' in header, value


@needs_promtool
def test_alerts():
    for args in (("check", "rules", RULES), ("test", "rules", RULES.with_name("horizond.test.yml"))):
        done = subprocess.run(["promtool", *args], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_are_on_metrics_that_there_are():
    source = "\n".join(path.read_text() for folder in ("lib", "daemon") for path in (TOP / folder).rglob("*.c"))
    text = RULES.read_text()
    names = set(re.findall(r"\b(horizond_\w+)", re.sub(r"#.*", "", text)))
    assert len(names) > 8
    for name in names:
        assert re.sub(r"_bucket$", "", name) in source, name
    tested = RULES.with_name("horizond.test.yml").read_text()
    for alert in re.findall(r"alert: (\w+)", text):
        assert re.search(rf"alertname: {alert}\n +exp_alerts: *(\[|\n)", tested), f"{alert} never fires in the tests"
