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


class ChangePasswordForm(FlaskForm):  # type: ignore[misc]
    """The present password and the one that takes its place."""

    present = PasswordField("Present password", [DataRequired("Enter your present password.")])
    password = PasswordField("New password", [DataRequired("Enter a new password.")])


class ResetForm(FlaskForm):  # type: ignore[misc]
    """Whose password was forgotten."""

    email = EmailField("Email", [DataRequired("Enter your email address.")])


class NewPasswordForm(FlaskForm):  # type: ignore[misc]
    """The password that an account shall have."""

    password = PasswordField("New password", [DataRequired("Enter a password.")])
