"""What tests share: servers, newsrooms, samples, and checks of messages and pages."""
