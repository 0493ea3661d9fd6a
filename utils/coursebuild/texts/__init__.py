"""What running text says: claims and numbers no cell checks; a lesson's form."""
