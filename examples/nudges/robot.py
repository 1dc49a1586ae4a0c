#!/usr/bin/env python3
"""Nudges into a group of WeCom (企业微信) or DingTalk (钉钉): both take the same JSON. In liandong.toml:

[hook]
command = ["/usr/bin/python3", "/etc/liandong/robot.py", "/etc/liandong/robot.url"]

The file holds the robot's address with its key, readable by the node's user only (chmod 600).
A robot of DingTalk needs the keyword 联动 in its settings.
文件中写机器人的地址（含密钥），只让节点用户可读；钉钉机器人的自定义关键词填“联动”。
"""
import json
import sys
import urllib.request

nudge = json.load(sys.stdin)
lines = ["联动系统提醒：" + nudge["text"]["zh"], nudge.get("link", "")]
body = {"msgtype": "text", "text": {"content": "\n".join(filter(None, lines))}}
with open(sys.argv[1], encoding="utf-8") as file:
    url = file.read().strip()
request = urllib.request.Request(
    url, json.dumps(body).encode(), {"Content-Type": "application/json"})
with urllib.request.urlopen(request, timeout=8) as answer:
    said = json.load(answer)
# Both answer 200 also when they refuse; any other end than 0 has the node try again.
sys.exit(0 if said.get("errcode") == 0 else f"refused: {said.get('errcode')}")
