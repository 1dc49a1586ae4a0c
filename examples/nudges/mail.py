#!/usr/bin/env python3
"""Nudges by e-mail. In liandong.toml:

[hook]
command = ["/usr/bin/python3", "/etc/liandong/mail.py", "mail.example.gov.cn", "a@example.gov.cn", "b@example.gov.cn"]

Arguments: mail server, sender, receivers. 参数：邮件服务器、发件人、收件人（可多个）。
"""
import json
import smtplib
import sys
from email.message import EmailMessage

server, sender, *receivers = sys.argv[1:]
nudge = json.load(sys.stdin)
mail = EmailMessage()
mail["From"], mail["To"], mail["Subject"] = sender, ", ".join(receivers), "联动系统提醒"
mail.set_content("\n".join([nudge["text"]["zh"], nudge["text"]["en"], nudge.get("link", "")]))
with smtplib.SMTP(server, timeout=8) as smtp:
    smtp.send_message(mail)
