"""What can be said of a description: words, phrases, attributes with binding, copies, language, personal data, rules."""
