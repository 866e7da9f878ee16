"""The forms of this blueprint. What may be an email address or a password is the service's to say."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField
from wtforms.validators import DataRequired


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Email and password of an account."""

    email = EmailField("Email", [DataRequired("Enter your email address.")])
    password = PasswordField("Password", [DataRequired("Enter your password.")])


class FirstAccountForm(FlaskForm):  # type: ignore[misc]
    """Email and password that an account shall have."""

    email = EmailField("Email", [DataRequired("Enter an email address.")])
    password = PasswordField("Password", [DataRequired("Enter a password.")])
